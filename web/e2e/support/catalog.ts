import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { World } from "./world";

/** Leaves in the server's catalog what no page and no interface brings about any more, as an older version or a damage might have. */
export function damage({ data }: World, statements: string) {
  execFileSync("sqlite3", ["-cmd", ".timeout 10000", join(data, "catalog.db"), statements]);
}
