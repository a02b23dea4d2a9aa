/**
 * Characters that nobody sees and that change how a text looks or what it says: they turn its direction, take no room, or are controls. Joiners are
 * part of the writing of many languages and of emoji; after a letter of ours they only make two names of one.
 */
const UNSEEN =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /[\0-\x08\v-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|(?<!\u{1f3f4}[\u{e0020}-\u{e007f}]*)[\u{e0000}-\u{e007f}]|(?<=^|[\p{ASCII}\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])[\u200c\u200d]/u;
const EACH = new RegExp(UNSEEN, "gu");
// The end of a line in Windows is the end of a line.
const ENDS = /\r\n/g;

export function hasUnseen(text: string): boolean {
  return UNSEEN.test(text) && UNSEEN.test(text.replace(ENDS, "\n"));
}

/** `U+202E` */
function codeOf(char: string): string {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** A part of a text, or one character of it that cannot be seen, by its code. */
export type Part = { text: string } | { code: string };

export function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  const plain = text.replace(ENDS, "\n");
  let from = 0;
  for (const { 0: char, index } of plain.matchAll(EACH)) {
    if (index > from) parts.push({ text: plain.slice(from, index) });
    parts.push({ code: codeOf(char) });
    from = index + char.length;
  }
  if (from < plain.length) parts.push({ text: plain.slice(from) });
  return parts;
}

/** The text with the codes of what cannot be seen in it, where no more than text can stand: `invoice<U+202E>fdp.exe`. */
export function shown(text: string): string {
  return hasUnseen(text) ? partsOf(text).map((part) => ("code" in part ? `<${part.code}>` : part.text)).join("") : text;
}
