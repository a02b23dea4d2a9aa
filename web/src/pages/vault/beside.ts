/** What is told of a credential beside its name: as what it signs in, how, and what else is known. A name stays when another account takes the place. */
export function beside(name: string, account: string | undefined, ...more: (string | undefined)[]): string {
  const known = account?.toLowerCase() === name.toLowerCase() ? undefined : account;
  return [known, ...more].filter((word) => word !== undefined).join(", ");
}
