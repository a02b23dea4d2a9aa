import { quoted } from "./quoted";

/** The options that can stand without a value, in every command that has them: what follows one is not its own. */
export const ALONE: ReadonlySet<string> = new Set([
  "--accept-less",
  "--all-connectors",
  "--browser",
  "--device-code",
  "--disable",
  "--disabled",
  "--dry-run",
  "--enable",
  "--everything",
  "--federated",
  "--managed-identity",
  "--manual",
  "--missing",
  "--other-connectors",
  "--read-data",
  "--second-factor-off",
  "--whole",
]);

const OPTION = /^--[a-z]+(-[a-z]+)*(=|$)/s;

/**
 * The words so that none is taken for what it is not: a value that begins with a hyphen is joined to its option, and a name that does
 * stands behind all options and `--`. The options in `last` come after the others.
 */
export function arranged(words: readonly string[], last: readonly string[] = []): string[] {
  const told: string[] = [];
  let names: string[] | undefined;
  for (let at = 0; at < words.length; at += 1) {
    const [word = "", next] = words.slice(at, at + 2);
    if (word === "--") {
      names = [...(names ?? []), ...words.slice(at + 1)];
      break;
    }
    if (OPTION.test(word)) {
      const value = word.includes("=") || ALONE.has(word) ? undefined : next;
      if (value?.startsWith("-")) told.push(`${word}=${value}`);
      else told.push(word, ...(value === undefined ? [] : [value]));
      if (value !== undefined) at += 1;
    } else if (names || word.startsWith("-")) names = [...(names ?? []), word];
    else told.push(word);
  }
  return [...told, ...last, ...(names ? ["--", ...names] : [])];
}

/** The command for a POSIX shell, of the words after `keepward`. */
export function commandLine(words: readonly string[], last: readonly string[] = []): string {
  return ["keepward", ...arranged(words, last)].map(quoted).join(" ");
}
