import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { client } from "../../api/client";
import type { PlanDetail } from "./contract";

type Call = (path: string, init: unknown) => Promise<{ data: unknown }>;

export async function get<T>(path: string, query: Record<string, unknown> = {}): Promise<T> {
  const { data } = await (client.GET as unknown as Call)(path, { params: { query } });
  return data as T;
}

export async function put<T>(path: string, body: unknown): Promise<T> {
  const { data } = await (client.PUT as unknown as Call)(path, { body });
  return data as T;
}

export async function remove(path: string): Promise<void> {
  await (client.DELETE as unknown as Call)(path, {});
}

// Events tell when a run ends; what is at work is looked at now and then too, in case one was missed.
const WATCH = 5_000;

export function usePlan(id: string) {
  return useQuery({
    queryKey: ["get", `/restore-plans/${id}`],
    queryFn: () => get<PlanDetail>(`/restore-plans/${id}`),
    refetchInterval: ({ state: { data } }) => (data?.state === "planning" || data?.state === "applying" ? WATCH : false),
  });
}

/** A change of a plan; whatever shows plans is read anew. */
export function usePlanAction<T = void, V = void>(act: (value: V) => Promise<T>, done?: (answer: T) => unknown) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: async (answer) => {
      await done?.(answer);
      await queries.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[1]).startsWith("/restore-plans") });
    },
  });
}
