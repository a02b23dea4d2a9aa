import { Refusal } from "../../components/Refusal";
import { Checks } from "./Checks";
import type { Check } from "./data";
import { checksOf } from "./refusals";

interface Props {
  error: unknown;
  /** What the checks told when nothing was refused. */
  passed?: readonly Check[] | undefined;
}

/** Why a connector was refused, and the checks that say so. */
export function Refused({ error, passed = [] }: Props) {
  const checks = error ? checksOf(error) : passed;
  return (
    <>
      <Refusal error={error} />
      {checks.length > 0 && <Checks checks={checks} />}
    </>
  );
}
