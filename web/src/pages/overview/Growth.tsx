import { tokens } from "@fluentui/react-components";
import { ResponsiveContainer, VerticalBarChart } from "@fluentui/react-charts";
import { bytes, day } from "../../components/format";
import { useTexts } from "../../texts";
import type { Overview } from "./standing";
import "./texts";

const HEIGHT = 220;

/** What each day added. Loaded when it is looked at: charts are large. */
export function Growth({ growth }: { growth: Overview["storage"]["growth"] }) {
  const t = useTexts("overview");
  const data = growth.map((one) => {
    const at = new Date(`${one.day}T00:00:00Z`);
    return {
      x: at,
      y: one.added_bytes,
      color: tokens.colorCompoundBrandBackground,
      xAxisCalloutData: day(at),
      yAxisCalloutData: bytes(one.added_bytes),
      legend: t("storage.added"),
    };
  });
  return (
    <div style={{ height: HEIGHT }}>
      <ResponsiveContainer height={HEIGHT}>
        <VerticalBarChart
          data={data}
          chartTitle={t("storage.chart")}
          hideLegend
          hideLabels
          useUTC
          useSingleColor
          colors={[tokens.colorCompoundBrandBackground]}
          barWidth="auto"
          yAxisTickCount={4}
          yAxisTickFormat={bytes}
          customDateTimeFormatter={day}
          margins={{ left: 64, right: 16, top: 12, bottom: 32 }}
        />
      </ResponsiveContainer>
    </div>
  );
}
