import { expect, test } from "vitest";
import { browser } from "./browser";

test("browsers are told by what they name last", () => {
  const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
  expect(browser(chrome)).toBe("Chrome on Linux");
  expect(browser(`${chrome} Edg/140.0`)).toBe("Edge on Linux");
  expect(browser("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1")).toBe("Safari on iOS");
  expect(browser("curl/8.5.0")).toBe("curl/8.5.0");
  expect(browser(undefined)).toBe("–");
});
