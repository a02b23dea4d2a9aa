import { Button, Caption1, makeStyles, tokens } from "@fluentui/react-components";
import { ArrowSwapRegular, CloudRegular, DeleteRegular, ShieldCheckmarkRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import type { Snapshot } from "./change";
import { CompareLive } from "./CompareLive";
import { Forget } from "./Forget";
import { useVerify } from "./verify";

const useStyles = makeStyles({
  bar: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalS, padding: 0 },
});

interface Props {
  chosen: Snapshot[];
  connector: string | undefined;
  onDone: () => void;
}

/** What can be done with the snapshots that are selected. */
export function Actions({ chosen, connector, onDone }: Props) {
  const styles = useStyles();
  const t = useTexts("snapshots");
  const navigate = useNavigate();
  const [dialog, open] = useState<"forget" | "live">();
  const verify = useVerify();
  const [mayForget, mayVerify, mayRead, mayRestore] = [useMay("manage-repositories"), useMay("run-backups"), useMay("read-content"), useMay("restore")];
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
      {mayRestore && (
        <Button icon={<CloudRegular />} disabled={!alone} title={t("compareLiveHint")} onClick={() => open("live")}>
          {t("compareLive")}
        </Button>
      )}
      {mayVerify && (
        <Button
          icon={<ShieldCheckmarkRegular />}
          disabled={!alone || verify.isPending}
          onClick={() => one && verify.start(one.id)}
        >
          {t("verify")}
        </Button>
      )}
      {mayForget && (
        <Button icon={<DeleteRegular />} disabled={chosen.length === 0} onClick={() => open("forget")}>
          {t("forget")}
        </Button>
      )}
      <Caption1 role="status">{chosen.length === 0 ? t("compareHint") : t("selected", { count: chosen.length })}</Caption1>
      {dialog === "forget" && <Forget snapshots={chosen} onDone={onDone} onClose={() => open(undefined)} />}
      {dialog === "live" && one && <CompareLive snapshot={one} connector={connector} onClose={() => open(undefined)} />}
    </div>
  );
}
