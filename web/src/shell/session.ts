import { queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { client, type Schemas } from "../api/client";

type Me = Schemas["Me"];

/** Who is signed in. Fails with status 401 when nobody is. */
export const meQuery = queryOptions({
  queryKey: ["get", "/me"],
  queryFn: async (): Promise<Me> => {
    const { data } = await client.GET("/me");
    return data as Me;
  },
  staleTime: 60_000,
});

export function useMe(): Me {
  return useSuspenseQuery(meQuery).data;
}

/** Whether the person may: `manage-connectors`, `restore` … The server decides; pages only leave out what it would refuse. */
export function useMay(permission: string): boolean {
  return useMe().permissions.includes(permission);
}
