import { expect, test } from "vitest";
import { adviceFor, TROUBLES } from "./advice";
import { texts } from "./texts";

test("SRE-53 each of the eight messages has advice in words", () => {
  const words: Record<string, string> = texts.advice;
  expect(TROUBLES).toHaveLength(8);
  for (const key of TROUBLES) expect(words[key], key).toBeTruthy();
  expect(Object.keys(texts.trouble.message).toSorted()).toEqual(TROUBLES.toSorted());
  for (const [key, message] of Object.entries(texts.trouble.message)) {
    if (key !== "window") expect(adviceFor(message)).toBe(key);
  }
});

test("SRE-46 SRE-47 SRE-48 the words of a connector's standing are known, others are not", () => {
  expect(adviceFor("Invalid or expired token")).toBe("expired");
  expect(adviceFor("Azure DevOps access token not configured. Please authenticate.")).toBe("notConfigured");
  expect(adviceFor("Token lacks Code.Read permission")).toBe("codeRead");
  expect(adviceFor("the service is not available")).toBeUndefined();
  expect(adviceFor(undefined)).toBeUndefined();
});
