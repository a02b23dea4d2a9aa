import { useNavigate } from "@tanstack/react-router";
import { useTell } from "../../components/tell";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import type { Entry, Origin } from "../restore/basket";
import { addToBasket } from "../restore/useBasket";
import type { SnapshotDetail } from "./snapshot";

// More than this makes an address that browsers and proxies cut.
const IN_ADDRESS = 20;

export function originOf({ id, service, source, address, time }: SnapshotDetail): Origin {
  return { id, service, source, address, time };
}

/** Ways from something in a snapshot to its restore; `undefined` for who may not restore. */
export function useRestoreWays(snapshot: SnapshotDetail) {
  const t = useTexts("browse");
  const may = useMay("restore");
  const tell = useTell();
  const navigate = useNavigate();
  if (!may) return undefined;
  const origin = originOf(snapshot);
  return {
    add: (entries: Entry[]) => {
      addToBasket(origin, entries);
      tell(t("added", { count: entries.length }));
    },
    restore: (entries: Entry[]) => {
      const inAddress = entries.length <= IN_ADDRESS;
      if (!inAddress) addToBasket(origin, entries);
      const search = inAddress ? { snapshot: origin.id, pick: entries } : { snapshot: origin.id };
      void navigate({ to: "/restore/new", search: search });
    },
  };
}
