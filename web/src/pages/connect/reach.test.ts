import { expect, test } from "vitest";
import { policiesFor, unreached } from "./reach";

const repositories = [
  { name: "default", location: "/var/lib/keepward/default", id: "1", default: true, version: 0 },
  { name: "cloud", location: "s3://bucket/prefix", id: "2", default: false, version: 0 },
];
const worker = { name: "cloud-1", labels: ["cloud-1"], storages: [] as string[], own: false };

test("a connector is backed up by the policies that name it, otherwise by those for all that are left", () => {
  const rest = { name: "Default", connectors: [] };
  const own = { name: "own", connectors: ["contoso*"] };
  const off = { name: "off", connectors: ["contoso"], enabled: false };
  expect(policiesFor([rest, own, off], "contoso-2")).toEqual([own]);
  expect(policiesFor([rest, own, off], "fabrikam")).toEqual([rest]);
});

test("XA-13 a worker elsewhere does not reach a folder unless it says so", () => {
  const policies = [{ name: "Default" }];
  expect(unreached(worker, policies, repositories).map(({ name }) => name)).toEqual(["default"]);
  expect(unreached({ ...worker, storages: ["default"] }, policies, repositories)).toEqual([]);
  expect(unreached({ ...worker, own: true }, policies, repositories)).toEqual([]);
  expect(unreached(worker, [{ name: "p", repository: "cloud" }], repositories)).toEqual([]);
  expect(unreached(undefined, policies, repositories)).toEqual([]);
});
