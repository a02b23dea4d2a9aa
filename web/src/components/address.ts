/** The address, if it leads into the web and names no secret; foreign addresses are relative to nothing. */
export function webAddress(text: string): URL | undefined {
  const url = URL.parse(text);
  const plain = url && !url.username && !url.password;
  return plain && (url.protocol === "https:" || url.protocol === "http:") ? url : undefined;
}
