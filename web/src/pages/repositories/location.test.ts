import { expect, test } from "vitest";
import { complete, format, NOWHERE, parse } from "./location";

test("locations come back as they were written", () => {
  for (const location of [
    "/backup/contoso",
    "/backup/it's mine",
    "s3://backups",
    "s3://backups/contoso/main",
    "s3://backups/contoso?endpoint=http://127.0.0.1:9000&region=eu-west-1",
    "s3://backups?style=virtual",
    "azure://account/container/contoso",
    "azure://devstoreaccount1/c?endpoint=http://127.0.0.1:10000/devstoreaccount1",
    "gs://backups/contoso",
  ]) {
    expect(format(parse(location))).toBe(location);
  }
});

test("what has no scheme of a cloud is a folder", () => {
  expect(parse("file:///backup")).toEqual({ ...NOWHERE, path: "/backup" });
  expect(parse("ftp://host/backup")).toEqual({ ...NOWHERE, path: "ftp://host/backup" });
  expect(format(parse("s3a://backups/contoso"))).toBe("s3://backups/contoso");
});

test("what people type around the parts is taken away", () => {
  const place = { ...NOWHERE, storage: "s3" as const, bucket: " backups ", prefix: "/contoso/", endpoint: "https://h:9/" };
  expect(format(place)).toBe("s3://backups/contoso?endpoint=https://h:9");
});

test("nothing is sent before the storage is named", () => {
  expect(complete(NOWHERE)).toBe(false);
  expect(complete({ ...NOWHERE, path: "/backup" })).toBe(true);
  expect(complete({ ...NOWHERE, storage: "azure", bucket: "c" })).toBe(false);
  expect(complete({ ...NOWHERE, storage: "azure", bucket: "c", account: "a" })).toBe(true);
  expect(complete({ ...NOWHERE, storage: "gs", path: "/left/from/before" })).toBe(false);
});
