import { expect, test } from "vitest";
import { restic } from "./restic";

const repository = (location: string) => restic(location).find((line) => line.includes("RESTIC_REPOSITORY"));

test("restic finds the same place", () => {
  const cases: [string, string][] = [
    ["/backup/contoso", "/backup/contoso"],
    ["s3://b", "s3:https://s3.amazonaws.com/b"],
    ["s3://b/c?region=eu-west-1", "s3:https://s3.eu-west-1.amazonaws.com/b/c"],
    ["s3://b/c?endpoint=http://h:9", "s3:http://h:9/b/c"],
    ["azure://a/b/c", "azure:b:/c"],
    ["gs://b/c", "gs:b:/c"],
  ];
  for (const [location, address] of cases) {
    expect(repository(location)).toBe(`export RESTIC_REPOSITORY=${address}`);
  }
});

test("a folder with quotes and commands in its name stays one word", () => {
  expect(repository("/it's; rm -rf $HOME")).toBe(`export RESTIC_REPOSITORY='/it'\\''s; rm -rf $HOME'`);
});

test("what opens a cloud is named and not shown", () => {
  expect(restic("azure://account/c")[0]).toBe("export AZURE_ACCOUNT_NAME=account AZURE_ACCOUNT_KEY=…");
  expect(restic("/backup")[0]).toMatch(/RESTIC_REPOSITORY/);
});
