import { expect, test } from "vitest";
import { formOf, requestOf } from "./form";
import { kindOf, type Kind } from "./types";
import { NOTHING_GIVEN, wayTo } from "./way";

test("what is connected again is the same source: the cloud's organization, a server at its address, a tenant", () => {
  const way = (service: string, source: string, address: string) => wayTo({ service, source, address });
  expect(way("azure-devops", "contoso", "https://dev.azure.com/contoso")).toEqual({ kind: "azure-devops", search: { organization: "contoso" } });
  expect(way("azure-devops", "DefaultCollection", "https://tfs.example:8443/tfs/defaultcollection")).toEqual({
    kind: "azure-devops-server",
    search: { organization: "DefaultCollection", url: "https://tfs.example:8443/tfs" },
  });
  expect(way("microsoft-365", "contoso.onmicrosoft.com", "https://graph.microsoft.com/v1.0/0fd1a1a2-6ef8-4bc4-8d1c-6b7c2fb1d2aa")).toEqual({
    kind: "microsoft-365",
    search: { organization: "contoso.onmicrosoft.com" },
  });
  expect(way("elsewhere", "x", "https://x/x")).toBeUndefined();
});

test("the wizard opens with what the link gave, and asks the server for just that", () => {
  const server = kindOf("azure-devops-server") as Kind;
  const form = formOf(server, undefined, { ...NOTHING_GIVEN, organization: "DefaultCollection", url: "https://tfs.example/tfs" }, []);
  expect(form).toMatchObject({ place: "DefaultCollection", url: "https://tfs.example/tfs", name: "DefaultCollection" });
  expect(requestOf(server, form)).toMatchObject({ organization: "DefaultCollection", url: "https://tfs.example/tfs" });
});
