import { Badge } from "@fluentui/react-components";
import {
  ArrowSyncRegular,
  CheckmarkCircleFilled,
  CircleRegular,
  ClockRegular,
  DismissCircleFilled,
  type FluentIcon,
  WarningFilled,
} from "@fluentui/react-icons";
import { createElement } from "react";

/** How something stands, told by color, icon and word alike. */
export type Tone = "good" | "warning" | "bad" | "working" | "waiting" | "neutral";

const LOOK: Record<Tone, { color: "success" | "warning" | "danger" | "brand" | "informative" | "subtle"; icon: FluentIcon }> = {
  good: { color: "success", icon: CheckmarkCircleFilled },
  warning: { color: "warning", icon: WarningFilled },
  bad: { color: "danger", icon: DismissCircleFilled },
  working: { color: "brand", icon: ArrowSyncRegular },
  waiting: { color: "informative", icon: ClockRegular },
  neutral: { color: "subtle", icon: CircleRegular },
};

export function StatusBadge({ tone, children }: { tone: Tone; children: string }) {
  const { color, icon } = LOOK[tone];
  return (
    <Badge appearance="tint" color={color} icon={createElement(icon)} style={{ whiteSpace: "nowrap" }}>
      {children}
    </Badge>
  );
}
