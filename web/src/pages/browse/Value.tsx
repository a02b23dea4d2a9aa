import { webAddress } from "../../components/address";
import { when } from "../../components/format";
import { OutLink } from "../../components/Outside";

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;

/** A value of a document as people read it: addresses lead there, and moments are told in the browser's zone. */
export function Value({ value }: { value: string }) {
  if (webAddress(value)) return <OutLink to={value}>{value}</OutLink>;
  if (TIME.test(value) && !Number.isNaN(Date.parse(value))) return <time dateTime={value}>{when(value)}</time>;
  return <span dir="auto">{value}</span>;
}
