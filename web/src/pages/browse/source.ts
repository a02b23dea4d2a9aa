import { api } from "../../api/client";

/** What people call a source: its connector's name, and its own where that is another. Tenants are known by ids that nobody knows. */
export function useSourceName(): (service: string, source: string) => string {
  const connectors = api.useQuery("get", "/connectors", { params: { query: { limit: 200 } } }).data?.items ?? [];
  return (service, source) => {
    const connector = connectors.find((one) => one.service === service && one.organization.toLowerCase() === source.toLowerCase());
    return connector?.name ?? source;
  };
}
