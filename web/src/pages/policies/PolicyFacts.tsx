import type { Schemas } from "../../api/client";
import { Facts } from "../../components/Facts";
import { useKindTitle } from "../../components/kinds";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { draftOf } from "./draft";
import { retentionWords, scheduleWords, selectionWords } from "./words";
import "./texts";

/** A policy in words. */
export function PolicyFacts({ view }: { view: Schemas["PolicyView"] }) {
  const t = useTexts("policies");
  const title = useKindTitle();
  const policy = draftOf(view.policy);
  return (
    <Facts
      facts={[
        [t("facts.state"), policy.enabled ? t("facts.on") : t("facts.offWords")],
        [t("facts.covers"), policy.connectors.length === 0 ? t("covers.rest") : policy.connectors.join(", ")],
        [t("facts.selection"), selectionWords(t, policy.selection, title)],
        [t("facts.schedule"), scheduleWords(t, policy.schedule)],
        [t("facts.retention"), view.removes_nothing ? t("removesNothing") : retentionWords(t, policy.retention)],
        [t("facts.repository"), policy.repository ?? t("defaultRepository")],
        [t("facts.worker"), policy.worker.length === 0 ? t("where.workerAny") : policy.worker.join(", ")],
        [t("facts.next"), view.next && <Time at={view.next} />],
        [t("facts.fired"), view.fired && <Time at={view.fired} />],
        [t("facts.updated"), view.updated && <Time at={view.updated} />],
      ]}
    />
  );
}
