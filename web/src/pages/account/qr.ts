/** Squares of light that a reader needs around a code. */
const EDGE = 4;

/** A QR code as a drawing: how many squares wide it is, with its edge, and the path of its dark ones; those side by side are one piece. */
export function drawn(rows: readonly string[]): { side: number; path: string } {
  const piece = (y: number) => (found: RegExpMatchArray) =>
    `M${EDGE + (found.index ?? 0)} ${EDGE + y}h${found[0].length}v1h-${found[0].length}z`;
  const path = rows.flatMap((row, y) => [...row.matchAll(/1+/g)].map(piece(y)));
  return { side: rows.length + 2 * EDGE, path: path.join("") };
}
