const TAG = /<\/?[a-z][^<>]*>/i;
const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

/**
 * What people read of HTML, with lines where its paragraphs end; any other text as it is. For comparing alone: what comes out is shown as
 * text, never as HTML.
 */
export function readable(text: string): string {
  if (!TAG.test(text)) return text;
  return text
    .replaceAll(/<(?:br|hr)\b[^<>]*>|<\/(?:div|p|li|ul|ol|table|tr|h[1-6]|blockquote|pre)>/gi, "\n")
    .replaceAll(/<li\b[^<>]*>/gi, "• ")
    .replaceAll(/<img\b[^<>]*?\bsrc=["']?([^"'\s<>]+)[^<>]*>/gi, "[$1]")
    .replaceAll(/<a\b[^<>]*?\bhref=["']?([^"'\s<>]+)[^<>]*>/gi, "[$1] ")
    .replaceAll(/<\/?[a-z][^<>]*>/gi, "")
    .replaceAll(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
      const point = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
      return point > 0 && point <= 0x10_ff_ff ? String.fromCodePoint(point) : whole;
    })
    .replaceAll(/[ \t]+\n/g, "\n")
    .replaceAll(/\n{2,}/g, "\n")
    .trim();
}
