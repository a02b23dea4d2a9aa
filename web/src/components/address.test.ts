import { expect, test } from "vitest";
import { webAddress } from "./address";

test("only addresses of the web are followed, and none that carries a secret", () => {
  expect(webAddress(" https://dev.azure.com/contoso ")?.host).toBe("dev.azure.com");
  expect(webAddress("http://server/tfs")?.host).toBe("server");
  for (const text of ["javascript:alert(1)", "data:text/html,x", "//evil.test", "/api/v1/session", "file:///etc/passwd", "https://me:secret@evil.test/", "vstfs:///Git/Ref/1", ""]) {
    expect(webAddress(text), text).toBeUndefined();
  }
});
