/** One line of a comparison. */
export interface Line {
  op: "same" | "removed" | "added";
  text: string;
}

// The table of the longest common subsequence has a cell for each pair of lines.
const CELLS = 4_000_000;

/** A text as lines; its last line ending begins no further line. */
export function linesOf(text: string): string[] {
  if (text === "") return [];
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Which lines stayed, went and came: a shortest such list, by the longest common subsequence. */
export function diffLines(before: string, after: string): Line[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const as = (op: Line["op"]) => (text: string): Line => ({ op, text });
  return [
    ...a.slice(0, head).map(as("same")),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(as("same")),
  ];
}

function middle(a: string[], b: string[]): Line[] {
  const whole = (): Line[] => [
    ...a.map((text): Line => ({ op: "removed", text })),
    ...b.map((text): Line => ({ op: "added", text })),
  ];
  // Texts that differ in so much are told as replaced as a whole.
  if (a.length * b.length > CELLS) return whole();
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [from, to] = [a[i], b[j]];
    if (from !== undefined && from === to) {
      lines.push({ op: "same", text: from });
      i += 1;
      j += 1;
    } else if (from !== undefined && (to === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ op: "removed", text: from });
      i += 1;
    } else if (to !== undefined) {
      lines.push({ op: "added", text: to });
      j += 1;
    }
  }
  return lines;
}

/** A stretch of a comparison: what changed with some lines around it, or how many equal lines are left out. */
type Stretch = { lines: Line[] } | { left: number };

/** Leaves out equal lines that are further than `around` from every change. */
export function stretches(lines: Line[], around = 3): Stretch[] {
  const near = new Uint8Array(lines.length);
  lines.forEach((line, index) => {
    if (line.op === "same") return;
    near.fill(1, Math.max(0, index - around), Math.min(lines.length, index + around + 1));
  });
  const result: Stretch[] = [];
  lines.forEach((line, index) => {
    const last = result.at(-1);
    if (near[index]) {
      if (last && "lines" in last) last.lines.push(line);
      else result.push({ lines: [line] });
    } else if (last && "left" in last) last.left += 1;
    else result.push({ left: 1 });
  });
  return result;
}
