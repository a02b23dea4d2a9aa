/** One file of a patch, with its lines. */
export interface PatchFile {
  path: string;
  lines: { op: "same" | "added" | "removed" | "place" | "note"; text: string }[];
}

/** A patch as `git diff` writes it, file by file. A patch that was cut ends where it was cut. */
export function filesOfPatch(patch: string): PatchFile[] {
  const files: PatchFile[] = [];
  let within = false;
  for (const line of patch.split("\n")) {
    if (line.startsWith("diff --git ")) {
      files.push({ path: pathOfHeader(line), lines: [] });
      within = false;
      continue;
    }
    const file = files.at(-1);
    if (!file) continue;
    if (line.startsWith("@@")) {
      within = true;
      file.lines.push({ op: "place", text: line });
    } else if (!within) {
      tendHeader(file, line);
    } else if (line.startsWith("+")) file.lines.push({ op: "added", text: line.slice(1) });
    else if (line.startsWith("-")) file.lines.push({ op: "removed", text: line.slice(1) });
    else if (line.startsWith("\\")) file.lines.push({ op: "note", text: line.slice(2) });
    else if (line.startsWith(" ")) file.lines.push({ op: "same", text: line.slice(1) });
  }
  return files;
}

function pathOfHeader(line: string): string {
  const rest = line.slice("diff --git ".length);
  // Both names are the same but for renames, whose names follow in lines of their own.
  const half = (rest.length - 1) / 2;
  const [first, second] = [rest.slice(0, half), rest.slice(half + 1)];
  return first.slice(2) === second.slice(2) ? unquoted(second).replace(/^b\//, "") : rest;
}

function tendHeader(file: PatchFile, line: string) {
  const renamed = /^(?:rename|copy) to (.*)$/.exec(line)?.[1];
  const named = /^\+\+\+ (.*?)\t?$/.exec(line)?.[1];
  const unnamed = /^--- (.*?)\t?$/.exec(line)?.[1];
  if (renamed !== undefined) file.path = unquoted(renamed);
  else if (named !== undefined && named !== "/dev/null") file.path = unquoted(named).replace(/^b\//, "");
  else if (unnamed !== undefined && unnamed !== "/dev/null") file.path = unquoted(unnamed).replace(/^a\//, "");
  else if (line.startsWith("Binary files ") || line === "GIT binary patch") file.lines.push({ op: "note", text: line });
}

/** A name as git quotes it: `"b/gr\303\266\303\237e"`. */
export function unquoted(name: string): string {
  if (!name.startsWith('"') || !name.endsWith('"') || name.length < 2) return name;
  const bytes: number[] = [];
  const escapes: Record<string, number> = { n: 10, t: 9, r: 13, '"': 34, "\\": 92, a: 7, b: 8, f: 12, v: 11 };
  const inner = name.slice(1, -1);
  for (let index = 0; index < inner.length; index += 1) {
    const letter = inner[index] ?? "";
    const octal = /^\\([0-3][0-7]{2})/.exec(inner.slice(index, index + 4))?.[1];
    if (octal !== undefined) {
      bytes.push(Number.parseInt(octal, 8));
      index += 3;
    } else if (letter === "\\") {
      index += 1;
      bytes.push(escapes[inner[index] ?? ""] ?? 92);
    } else {
      bytes.push(...new TextEncoder().encode(letter));
    }
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

/** `refs/heads/main` is the branch `main`. */
export function refName(full: string): { type: "branch" | "tag" | "other"; name: string } {
  if (full.startsWith("refs/heads/")) return { type: "branch", name: full.slice("refs/heads/".length) };
  if (full.startsWith("refs/tags/")) return { type: "tag", name: full.slice("refs/tags/".length) };
  return { type: "other", name: full };
}
