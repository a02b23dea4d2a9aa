import { useQuery } from "@tanstack/react-query";
import { api, client, type Schemas } from "../../api/client";
import { useAll } from "../../components/all";

export type Begin = Schemas["BeginWizard"];
export type WizardView = Schemas["WizardView"] & { failure?: { code?: string; message: string; hint?: string | null } | null };
export type Check = Schemas["CheckView"];
export type Checked = Schemas["CheckedOrganization"];
export type Connector = Schemas["ConnectorView"];

/** Steps of a wizard change nothing that other pages show. */
export const READS = { meta: { reads: true } };

/** All that exist, as far as one page holds them: forms choose from these. */
export function useConnectors() {
  return useAll("/connectors", {}).items ?? [];
}

export function useMethods(service: string) {
  return api.useQuery("get", "/connect/methods", { params: { query: { service } } }, { staleTime: Infinity });
}

/** Begins at the server. A wizard that nobody goes on with is forgotten there by itself. */
export async function begin(body: Begin): Promise<WizardView> {
  const { data } = await client.POST("/connect", { body });
  return data as WizardView;
}

export async function forget(id: string): Promise<void> {
  await client.DELETE("/connect/{id}", { params: { path: { id } } });
}

export async function standing(id: string): Promise<WizardView> {
  const { data } = await client.GET("/connect/{id}", { params: { path: { id } } });
  return data as WizardView;
}

/** Asks whether somebody has entered the device code. */
export async function poll(id: string): Promise<WizardView> {
  const { data } = await client.POST("/connect/{id}/poll", { params: { path: { id } } });
  return data as WizardView;
}

/** Looks anew which organizations there are: one may have been made meanwhile. */
export async function discover(id: string): Promise<WizardView> {
  const { data } = await client.POST("/connect/{id}/discover", { params: { path: { id } } });
  return data as WizardView;
}

/** The checks of organizations, asked once: they take the service's time. Of none, nothing is asked: the server would check all. */
export function useChecks(id: string | undefined, organizations: readonly string[]) {
  return useQuery({
    queryKey: ["wizard-checks", id, ...organizations],
    queryFn: async (): Promise<Checked[]> => {
      const params = { path: { id: id ?? "" } };
      const { data } = await client.POST("/connect/{id}/check", { params, body: { organizations: [...organizations] } });
      return data?.organizations ?? [];
    },
    enabled: id !== undefined && organizations.length > 0,
    staleTime: "static",
    retry: false,
  });
}
