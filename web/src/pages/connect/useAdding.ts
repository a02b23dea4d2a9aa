import { client, type Schemas } from "../../api/client";
import { queries } from "../../api/queries";
import { useWrite } from "../../api/write";
import { useShown } from "../../components/search";
import { READS } from "./data";

/** What was added. */
export interface Outcome {
  names: string[];
  runs: string[];
  missing: string[];
}

/** The last step of the wizard: saves its connectors, and starts their first backups where that is asked for. */
export function useAdding(wizard: string | undefined, body: Schemas["AddWizard"], onDone: (outcome: Outcome) => void) {
  const [, setShown] = useShown();
  return useWrite({
    ...READS,
    mutationFn: async (run: boolean): Promise<Outcome> => {
      const params = { path: { id: wizard ?? "" } };
      const { data } = await client.POST("/connect/{id}/add", { params, body: { ...body, run_backup: run } });
      const added = data?.connectors ?? [];
      const missing = [...new Set(added.flatMap((one) => one.missing))];
      return { names: added.map(({ name }) => name), runs: data?.runs ?? [], missing };
    },
    onSuccess: (outcome) => {
      onDone(outcome);
      void queries.invalidateQueries();
      setShown({ wizard: undefined, step: undefined, done: outcome.names.join(",") });
    },
  });
}
