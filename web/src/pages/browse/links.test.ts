import { expect, test } from "vitest";
import { attachmentOf, attachmentPaths, attachmentsOf, placeAddress, relationsOf, workItemFolder, workItemOf } from "./links";

const OWN = "https://dev.azure.com/contoso/_apis/wit/workItems/7";
const GUID = "7b11af17-a021-4366-a4ac-cd9241af2e28";
const REPOSITORY = "68c04921-96f8-4c6a-8084-73ab36acc86f";
const relation = (rel: string, url: string, attributes: object = {}) => ({ rel, url, attributes });

test("a work item's folder is that of the snapshot's layout", () => {
  expect([1, 255, 256, 4711, 3_000_000].map(workItemFolder)).toEqual(["work-items/0000/1", "work-items/0000/255", "work-items/0001/256", "work-items/0018/4711", "work-items/11718/3000000"]);
});

test("links to work items of the same organization lead into the snapshot, others do not", () => {
  expect(workItemOf("https://dev.azure.com/contoso/Shop/_workitems/edit/12?x=1", OWN)).toBe("12");
  expect(workItemOf("https://dev.azure.com/other/Shop/_workitems/edit/12", OWN)).toBeUndefined();
  expect(workItemOf("https://evil.test/contoso/_workitems/edit/12", OWN)).toBeUndefined();
  expect(workItemOf("javascript:/_workitems/edit/12", OWN)).toBeUndefined();
});

test("attachments are found in the item's folder or where they are shared from", () => {
  const place = attachmentPaths([{ name: `attachments/${GUID}`, path: `work-items/0000/7/attachments/${GUID}` }], { [REPOSITORY]: 300, bad: "../../x" });
  expect(place(GUID)).toBe(`work-items/0000/7/attachments/${GUID}`);
  expect(place(REPOSITORY)).toBe(`work-items/0001/300/attachments/${REPOSITORY}`);
  expect(place("bad")).toBeUndefined();
  expect(attachmentOf(`https://dev.azure.com/contoso/p/_apis/wit/attachments/${GUID.toUpperCase()}?fileName=a.png`)).toBe(GUID);
  expect(attachmentOf("https://dev.azure.com/contoso/_apis/wit/attachments/../../x")).toBeUndefined();
});

test("each link is told with what it leads to", () => {
  const told = relationsOf({
    url: OWN,
    relations: [
      relation("System.LinkTypes.Hierarchy-Reverse", "https://dev.azure.com/contoso/p/_apis/wit/workItems/5", { name: "Parent", comment: "why" }),
      relation("AttachedFile", `https://dev.azure.com/contoso/p/_apis/wit/attachments/${GUID}`, { name: "a.png" }),
      relation("Hyperlink", "https://intranet.contoso.com/x"),
      relation("Hyperlink", "javascript:alert(1)"),
      relation("ArtifactLink", `vstfs:///Git/Commit/p%2F${REPOSITORY}%2F7997f7bc3049cbf2`, { name: "Fixed in Commit" }),
      relation("ArtifactLink", `vstfs:///Git/Ref/p%2F${REPOSITORY}%2FGBfeature%2Flogin`),
      relation("ArtifactLink", "vstfs:///Build/Build/12"),
      relation("ArtifactLink", "vstfs:///Git/Commit/%zz"),
    ],
  });
  expect(told).toEqual([
    { name: "Parent", comment: "why", to: "5", place: { kind: "work-item", item: "5" } },
    { name: "Hyperlink", to: "https://intranet.contoso.com/x", address: "https://intranet.contoso.com/x" },
    { name: "Hyperlink", to: "javascript:alert(1)" },
    { name: "Fixed in Commit", to: "7997f7bc", place: { kind: "git-repository", item: REPOSITORY, search: { tab: "commits", commit: "7997f7bc3049cbf2" } } },
    { name: "ArtifactLink", to: "feature/login", place: { kind: "git-repository", item: REPOSITORY, search: { tab: "files", ref: "refs/heads/feature/login" } } },
    { name: "ArtifactLink", to: "Build/Build 12" },
    { name: "ArtifactLink", to: "vstfs:///Git/Commit/%zz" },
  ]);
});

test("a work item of another organization is an address, not the item of the same number here", () => {
  const relations = [relation("System.LinkTypes.Related", "https://dev.azure.com/fabrikam/p/_apis/wit/workItems/5")];
  const [foreign] = relationsOf({ url: OWN, relations });
  expect(foreign).toMatchObject({ address: "https://dev.azure.com/fabrikam/p/_apis/wit/workItems/5" });
  expect(foreign?.place).toBeUndefined();
  expect(relationsOf({ relations })[0]?.place).toEqual({ kind: "work-item", item: "5" });
});

test("attachments carry name, size and comment", () => {
  const document = { relations: [relation("AttachedFile", `https://x/_apis/wit/attachments/${GUID}`, { name: "dump.bin", resourceSize: 5027, comment: "c" }), relation("AttachedFile", "https://x/none")] };
  expect(attachmentsOf(document)).toEqual([{ id: GUID, name: "dump.bin", size: 5027, comment: "c" }]);
});

test("ids of any letters make one address", () => {
  expect(placeAddress("abc", { kind: "user", item: "a/b?c#d" })).toBe("/snapshots/abc/item/user/a%2Fb%3Fc%23d");
});
