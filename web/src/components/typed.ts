import { useState } from "react";
import { queries } from "../api/queries";

/** A form over what others may change meanwhile: what was typed stays, and what was not follows. */
export function useTyped<Draft extends object>(current: Draft) {
  const [typed, setTyped] = useState<Partial<Draft>>({});
  return {
    draft: { ...current, ...typed },
    change: (part: Partial<Draft>) => setTyped((before) => ({ ...before, ...part })),
    /** What was typed is what is current, as soon as that is read again. */
    saved: async () => {
      await queries.invalidateQueries();
      setTyped({});
    },
  };
}
