import { useAll } from "../../components/all";

/** What a snapshot or hit is of. Two sources at two addresses may have one name. */
export interface Of {
  service: string;
  source: string;
  address?: string | null | undefined;
}

/** Whether a connector stands for it. */
export function isFor(connector: { service: string; organization: string; address?: string | null | undefined }, { service, source, address }: Of): boolean {
  if (connector.service !== service) return false;
  return address && connector.address ? connector.address === address : connector.organization.toLowerCase() === source.toLowerCase();
}

/** The page of all snapshots of it. */
export function pageOf({ service, source, address }: Of) {
  return { to: "/snapshots/source/$service/$source", params: { service, source }, ...(address && { search: { address } }) };
}

/** What people call a source: its connector's name, and its own where that is another. Tenants are known by ids that nobody knows. */
export function useSourceName(): (of: Of) => string {
  const connectors = useAll("/connectors", {}).items ?? [];
  return (of) => connectors.find((one) => isFor(one, of))?.name ?? of.source;
}
