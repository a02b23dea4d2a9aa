import { expect, test } from "vitest";
import { hold, move, start, stepAt, type Machine, type Move, type Step } from "./machine";

const ALL: Step[] = ["connection", "organizations", "settings", "review"];
const after = (...moves: Move[]): Machine => moves.reduce(move, start(ALL));
const pick = (organization: string, name = organization) => ({ organization, name });
const signedIn: Move = { type: "signed-in", wizard: "w", account: "ada", pick: pick("contoso") };
const next = (from: Step): Move => ({ type: "next", from });
const through = ALL.slice(0, -1).map(next);
const at = (machine: Machine, asked?: string) => stepAt(machine, asked, (step) => hold(machine, step) !== undefined);

test("nothing goes on before somebody has signed in", () => {
  expect(hold(start(ALL), "connection")).toBe("sign-in");
  expect(after(...through).far).toBe("connection");
  expect(after(signedIn, next("connection")).far).toBe("organizations");
});

test("SRE-25 the review is reached step by step, and not left forward by itself", () => {
  expect(after(signedIn, ...through).far).toBe("review");
  expect(after(signedIn, ...through, next("review")).far).toBe("review");
  expect(at(after(signedIn, next("connection")), "review")).toBe("organizations");
});

test("an address leads back to any step, and what was chosen stays", () => {
  const machine = after(signedIn, ...through);
  expect(ALL.map((step) => at(machine, step))).toEqual(ALL);
  expect(at(machine)).toBe("connection");
  expect(at(machine, "nowhere")).toBe("connection");
  expect(move(machine, next("connection"))).toMatchObject({ far: "review", wizard: "w", picks: [pick("contoso")] });
});

test("no address leads behind a step that is held meanwhile", () => {
  const machine = move(after(signedIn, ...through), { type: "dropped", organization: "contoso" });
  expect(at(machine, "review")).toBe("organizations");
});

test("SRE-17 what is canceled or has expired begins again without an account", () => {
  const machine = after(signedIn, ...through, { type: "forgotten" });
  expect(machine).toEqual(start(ALL));
});

test("SRE-20 another account takes the place of the first, with its organizations", () => {
  const machine = after(signedIn, { type: "picked", pick: pick("fabrikam") }, { ...signedIn, wizard: "v", account: "bob", pick: undefined });
  expect(machine).toMatchObject({ wizard: "v", account: "bob", picks: [] });
  expect(hold(machine, "organizations")).toBe("nothing-picked");
});

test("an organization is picked once, whatever its letters", () => {
  const machine = after(signedIn, { type: "picked", pick: pick("CONTOSO", "other") });
  expect(machine.picks).toEqual([pick("CONTOSO", "other")]);
  expect(move(machine, { type: "dropped", organization: "contoso" }).picks).toEqual([]);
});

test("SRE-06 SRE-51 names that do not fit, or that two would have, hold the settings back", () => {
  const settings = after(signedIn, { type: "picked", pick: pick("fabrikam") }, next("connection"), next("organizations"));
  const named = (name: string) => move(settings, { type: "named", organization: "fabrikam", name });
  expect(hold(settings, "settings")).toBeUndefined();
  expect(hold(named("2nd"), "settings")).toBe("name");
  expect(hold(named("Contoso"), "settings")).toBe("name-twice");
  expect(move(named("Contoso"), next("settings")).far).toBe("settings");
});

test("a kind without settings asks for names before the review", () => {
  const short = [signedIn, next("connection")].reduce(move, start(["connection", "review"]));
  expect(short.far).toBe("review");
});
