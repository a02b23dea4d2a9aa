import type { Schemas } from "../../api/client";

/** A worker asks for work at least every half a minute; three times without it, it is away. */
const AWAY = 120_000;

export function standing({ seen }: Pick<Schemas["WorkerView"], "seen">, now: number): "here" | "away" | "never" {
  if (!seen) return "never";
  return now - Date.parse(seen) > AWAY ? "away" : "here";
}

/** The command that starts a worker elsewhere. */
export function command(name: string, server: string): string[] {
  return ["worker", "--server", server, "--token-file", `${name}.token`];
}
