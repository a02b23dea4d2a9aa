const KEY = "Idempotency-Key";
/** As long as somebody who saw no answer would ask again; later it is another wish. */
const SOON = 300_000;

const underWay = new Map<string, Promise<Response>>();
/** The keys of writes whose answers were lost, by the hash of what was written, which may hold a secret: nobody knows whether they were done. */
const lost = new Map<string, { key: string; until: number }>();

/**
 * Sends a request. A write that is asked for again while it is under way, as by a second click, is one: both get its answer. One whose
 * answer was lost is sent again under its first key, by which the server knows whether it was done.
 */
export async function once(request: Request): Promise<Response> {
  if (request.method === "GET") return fetch(request);
  const write = `${request.method} ${request.url} ${await request.clone().text()}`;
  const answer = underWay.get(write) ?? send(request, write).finally(() => underWay.delete(write));
  underWay.set(write, answer);
  return (await answer).clone();
}

async function send(request: Request, text: string): Promise<Response> {
  const write = await hashOf(text);
  const now = Date.now();
  for (const [other, { until }] of lost) if (until < now) lost.delete(other);
  const key = lost.get(write)?.key ?? request.headers.get(KEY);
  if (key !== null) request.headers.set(KEY, key);
  try {
    const response = await fetch(request);
    lost.delete(write);
    return response;
  } catch (error) {
    if (key !== null) lost.set(write, { key, until: now + SOON });
    throw error;
  }
}

async function hashOf(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).join();
}
