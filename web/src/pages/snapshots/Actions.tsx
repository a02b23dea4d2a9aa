import { Button, Caption1, makeStyles, tokens } from "@fluentui/react-components";
import { ArrowSwapRegular, DeleteRegular, ShieldCheckmarkRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { ShowAs } from "../../components/ShowAs";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import type { Snapshot } from "./change";
import { CompareLive } from "./CompareLive";
import { Forget } from "./Forget";
import { useVerify, verifyAs } from "./verify";

const useStyles = makeStyles({
  bar: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalS, padding: 0 },
});

interface Props {
  chosen: Snapshot[];
  /** How the list tells each of them. */
  told: (snapshot: Snapshot) => string;
  onDone: () => void;
}

/** What can be done with the snapshots that are selected. */
export function Actions({ chosen, told, onDone }: Props) {
  const styles = useStyles();
  const t = useTexts("snapshots");
  const navigate = useNavigate();
  const [forgetting, forget] = useState(false);
  const verify = useVerify();
  const [mayForget, mayVerify, mayRead] = [useMay("manage-repositories"), useMay("run-backups"), useMay("read-content")];
  const [one] = chosen;
  const alone = chosen.length === 1 && one !== undefined;
  const compare = () => {
    const [from, to] = chosen.toSorted((a, b) => a.time.localeCompare(b.time));
    if (from && to) void navigate({ to: "/snapshots/compare", search: { from: from.id, to: to.id } });
  };
  return (
    <div role="group" className={styles.bar} aria-label={t("selected", { count: chosen.length })}>
      {mayRead && (
        <Button icon={<ArrowSwapRegular />} disabled={chosen.length !== 2} title={t("compareHint")} onClick={compare}>
          {t("compare")}
        </Button>
      )}
      <CompareLive snapshot={alone ? one : undefined} />
      {mayVerify && (
        <Button
          icon={<ShieldCheckmarkRegular />}
          disabled={!alone || verify.isPending}
          onClick={() => one && verify.start(one.id)}
        >
          {t("verify")}
        </Button>
      )}
      {mayVerify && alone && <ShowAs {...verifyAs(one.id)} of={t("verify")} />}
      {mayForget && (
        // It keeps the focus when it has done its work and nothing is selected any more.
        <Button icon={<DeleteRegular />} disabledFocusable={chosen.length === 0} onClick={() => forget(true)}>
          {t("forget")}
        </Button>
      )}
      <Caption1 role="status">{chosen.length === 0 ? t(mayRead ? "chooseCompare" : "choose") : t("selected", { count: chosen.length })}</Caption1>
      {forgetting && <Forget snapshots={chosen} told={told} onDone={onDone} onClose={() => forget(false)} />}
    </div>
  );
}
