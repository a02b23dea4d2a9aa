import { expect, test } from "vitest";
import { hold, move, start, type Machine, type Move, type Step } from "./machine";

const ALL: Step[] = ["connection", "organizations", "settings", "review"];
const after = (...moves: Move[]): Machine => moves.reduce(move, start(ALL));
const pick = (organization: string, name = organization) => ({ organization, name });
const signedIn: Move = { type: "signed-in", wizard: "w", account: "ada", pick: pick("contoso") };
const next: Move = { type: "next" };

test("nothing goes on before somebody has signed in", () => {
  expect(hold(start(ALL))).toBe("sign-in");
  expect(after(next, next).step).toBe("connection");
  expect(after(signedIn, next).step).toBe("organizations");
});

test("SRE-25 the review is reached step by step, and not left forward by itself", () => {
  expect(after(signedIn, next, next).step).toBe("settings");
  expect(after(signedIn, next, next, next).step).toBe("review");
  expect(after(signedIn, next, next, next, next).step).toBe("review");
  expect(after(signedIn, next, { type: "went", step: "review" }).step).toBe("organizations");
});

test("one goes back to any step, and what was chosen stays", () => {
  const back = after(signedIn, next, next, next, { type: "went", step: "connection" });
  expect(back).toMatchObject({ step: "connection", wizard: "w", picks: [pick("contoso")] });
  expect(after(signedIn, next, { type: "back" }, { type: "back" }).step).toBe("connection");
});

test("SRE-17 what is canceled or has expired begins again without an account", () => {
  const machine = after(signedIn, next, next, { type: "forgotten" });
  expect(machine).toEqual(start(ALL));
});

test("SRE-20 another account takes the place of the first, with its organizations", () => {
  const machine = after(signedIn, { type: "picked", pick: pick("fabrikam") }, { ...signedIn, wizard: "v", account: "bob", pick: undefined });
  expect(machine).toMatchObject({ wizard: "v", account: "bob", picks: [] });
  expect(hold(move(machine, next))).toBe("nothing-picked");
});

test("an organization is picked once, whatever its letters", () => {
  const machine = after(signedIn, { type: "picked", pick: pick("CONTOSO", "other") });
  expect(machine.picks).toEqual([pick("CONTOSO", "other")]);
  expect(move(machine, { type: "dropped", organization: "contoso" }).picks).toEqual([]);
});

test("SRE-06 SRE-51 names that do not fit, or that two would have, hold the settings back", () => {
  const settings = after(signedIn, { type: "picked", pick: pick("fabrikam") }, next, next);
  const named = (name: string) => move(settings, { type: "named", organization: "fabrikam", name });
  expect(hold(settings)).toBeUndefined();
  expect(hold(named("2nd"))).toBe("name");
  expect(hold(named("Contoso"))).toBe("name-twice");
  expect(move(named("Contoso"), next).step).toBe("settings");
});

test("a kind without settings asks for names before the review", () => {
  const short = [signedIn, next].reduce(move, start(["connection", "review"]));
  expect(short.step).toBe("review");
});
