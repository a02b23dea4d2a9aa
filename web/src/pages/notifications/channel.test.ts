import { expect, test } from "vitest";
import { address, complete, draftOf, event, options, toOf, type To } from "./channel";

const mail: To = { kind: "email", host: "smtp.example", security: "tls", port: 465, user: "u", from: "a@b", to: ["c@d", "e@f"] };

test("a channel comes back from the form as it went in", () => {
  for (const to of [mail, { kind: "webhook", url: "https://h/x" }, { kind: "slack" }, { kind: "ping" }] as To[]) {
    expect(toOf(draftOf(to))).toEqual(to);
  }
});

test("what was typed for another way is not sent", () => {
  const draft = { ...draftOf(mail), kind: "webhook" as const, url: " https://h " };
  expect(toOf(draft)).toEqual({ kind: "webhook", url: "https://h" });
});

test("where the address is the secret, a new channel needs it and an old one keeps it", () => {
  const slack = draftOf({ kind: "slack" });
  expect(complete(slack, "", false)).toBe(false);
  expect(complete(slack, "https://hooks", false)).toBe(true);
  expect(complete(slack, "", true)).toBe(true);
  const webhook = draftOf({ kind: "webhook", url: "https://h" });
  expect([complete(webhook, "", false), complete(webhook, "s", false), complete(webhook, "", true)]).toEqual([false, true, true]);
  expect(complete({ ...webhook, url: " " }, "s", true)).toBe(false);
  expect(complete(draftOf(mail), "", false)).toBe(true);
});

test("secret addresses are not shown", () => {
  expect(address({ kind: "slack" })).toBeUndefined();
  expect(address(mail)).toBe("c@d, e@f");
});

test("messages name what they are about", () => {
  expect(event("run/01a2")).toEqual({ kind: "run", id: "01a2" });
  expect(event("alarm/backup-overdue/contoso/2026-11-22T10:00:00Z")).toEqual({ kind: "alarm", key: "backup-overdue/contoso" });
  expect(event("test")).toEqual({ kind: "other", text: "test" });
});

test("on the command line the secret is a file", () => {
  expect(options({ kind: "slack" }, ["failure"], ["contoso"], { secret: true, enabled: false }).join(" ")).toBe(
    "slack --on failure --connector contoso --secret-file FILE --disabled",
  );
});
