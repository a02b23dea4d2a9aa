/** `ada/e2e` is what the person ada asked for with her token e2e. */
export function asker(requester: string): { person: string; token?: string } {
  const [person = requester, token] = requester.split("/", 2);
  return { person, ...(token !== undefined && { token }) };
}
