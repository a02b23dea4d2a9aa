import { useQuery } from "@tanstack/react-query";
import { client, type Schemas } from "../../api/client";

/** What a repository is beside what the last check and prune said. */
export type Repository = Schemas["RepositoryView"] & { damaged?: string | null; pruned?: string | null };
export type Schedule = Schemas["Schedule"];
export type Run = Schemas["RunView"] & { result?: unknown };

/** A task that is done by itself. */
export interface Task {
  schedule: Schedule;
  read_percent?: number;
  /** The next times; absent in what is sent. */
  next?: string[];
  fired?: string;
}

export type Tasks = Record<"check" | "prune" | "verify", Task | null>;

// The paths below are values where the generated types do not have them yet.
type Any = (path: string, init: unknown) => Promise<{ data: unknown }>;

/** `path` is the real path, its names filled in. */
export async function send<Answer>(method: "POST" | "PUT", path: string, body: unknown): Promise<Answer> {
  const { data } = await (client[method] as unknown as Any)(path, { body });
  return data as Answer;
}

export const pathOf = (name: string) => `/repositories/${encodeURIComponent(name)}`;

/** What is done for a repository by itself. */
export function useTasks(name: string) {
  const path = `${pathOf(name)}/maintenance`;
  return useQuery({
    queryKey: ["get", path],
    queryFn: async ({ signal }) => {
      const { data } = await (client.GET as unknown as Any)(path, { signal });
      return data as Tasks;
    },
  });
}
