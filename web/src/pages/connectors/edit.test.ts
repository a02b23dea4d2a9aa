import { expect, test } from "vitest";
import { cliOf, draftOf, editOf } from "./edit";

const connector = {
  name: "contoso",
  service: "azure-devops",
  organization: "contoso",
  method: "user",
  credential: "connector contoso",
  worker: "cloud-1",
  status: { state: "connected", title: "Connected" },
  sync: { add_new: true, hours: [2], time_zone: "UTC" },
  created: "2026-11-22T00:00:00Z",
  updated: "2026-11-22T00:00:00Z",
};

test("SRE-41 a form that was opened and saved changes nothing", () => {
  expect(editOf(connector, draftOf(connector))).toEqual({});
});

test("another name is a change as any other", () => {
  const edit = editOf(connector, { ...draftOf(connector), name: "contoso-main" });
  expect(edit).toEqual({ name: "contoso-main" });
  expect(cliOf("contoso", edit)).toEqual(["connector", "edit", "contoso", "--name", "contoso-main"]);
});

test("SRE-41 only what was changed is sent, and an emptied field takes the value away", () => {
  const draft = { ...draftOf(connector), organization: " fabrikam ", worker: "", sync: { ...draftOf(connector).sync, hours: "14,2" } };
  const edit = editOf(connector, draft);
  expect(edit).toEqual({
    organization: "fabrikam",
    worker: null,
    sync: { add_new: true, hours: [2, 14], time_zone: "UTC" },
  });
  expect(cliOf("contoso", edit)).toEqual([
    ...["connector", "edit", "contoso", "--organization", "fabrikam", "--worker", ""],
    ...["--sync-new", "true", "--sync-hours", "2,14", "--time-zone", "UTC"],
  ]);
});
