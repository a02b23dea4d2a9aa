/** What the link that led to the wizard fills in. */
export interface Given {
  organization: string;
  /** The address of a server. */
  url: string;
  /** The app profile to sign in through. */
  profile: string;
}

export const NOTHING_GIVEN: Given = { organization: "", url: "", profile: "" };

interface Way {
  /** In the address: `/connect/azure-devops`. */
  kind: string;
  search: Record<string, string>;
}

const CLOUD = "https://dev.azure.com/";

/**
 * The wizard that connects a source again, with what has to be the same in it: what is at another address is another source. `address` ends with
 * the name, in lower case, as the server tells it.
 */
export function wayTo({ service, source, address }: { service: string; source: string; address: string }): Way | undefined {
  if (service === "microsoft-365") return { kind: "microsoft-365", search: { organization: source } };
  if (service !== "azure-devops") return undefined;
  if (address.startsWith(CLOUD)) return { kind: "azure-devops", search: { organization: source } };
  const end = `/${source.toLowerCase()}`;
  const url = address.endsWith(end) ? address.slice(0, -end.length) : address;
  return { kind: "azure-devops-server", search: { organization: source, url } };
}
