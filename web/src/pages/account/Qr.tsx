import { makeStyles } from "@fluentui/react-components";
import { drawn } from "./qr";

const useStyles = makeStyles({
  code: { display: "block", width: "200px", maxWidth: "100%", height: "auto" },
});

/** Dark on light in every theme: readers expect it. */
export function Qr({ rows, label }: { rows: readonly string[]; label: string }) {
  const { side, path } = drawn(rows);
  return (
    <svg className={useStyles().code} viewBox={`0 0 ${side} ${side}`} shapeRendering="crispEdges" role="img" aria-label={label}>
      <rect width={side} height={side} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
