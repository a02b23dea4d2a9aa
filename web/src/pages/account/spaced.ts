/** A key in groups of four, as people type it; authenticator apps ignore the blanks. */
export function spaced(key: string): string {
  return key.replace(/(.{4})(?=.)/g, "$1 ");
}
