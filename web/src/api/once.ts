const underWay = new Map<string, Promise<Response>>();

/** Sends a request. A write that is asked for again while it is under way, as by a second click, is one: both get its answer. */
export async function once(request: Request): Promise<Response> {
  if (request.method === "GET") return fetch(request);
  const write = `${request.method} ${request.url} ${await request.clone().text()}`;
  const answer = underWay.get(write) ?? fetch(request).finally(() => underWay.delete(write));
  underWay.set(write, answer);
  return (await answer).clone();
}
