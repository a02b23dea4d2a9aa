import type { Tone } from "../../components/StatusBadge";

/** Credentials are worth a look this many days before they end, as the server's alarms have it. */
const SOON = 30;
const DAY = 86_400_000;

/** How long a credential still works: `key` names a text, `count` are its days. */
interface Expiry {
  tone: Tone;
  key: "expired" | "today" | "soon" | "later" | "unknown";
  count: number;
}

/** `expires` is absent where nobody said it: that is not known to be for ever. */
export function expiryOf(expires: string | null | undefined, now: number): Expiry {
  const end = expires ? Date.parse(expires) : Number.NaN;
  if (Number.isNaN(end)) return { tone: "neutral", key: "unknown", count: 0 };
  if (end <= now) return { tone: "bad", key: "expired", count: Math.floor((now - end) / DAY) };
  const count = Math.floor((end - now) / DAY);
  if (count === 0) return { tone: "bad", key: "today", count };
  return count < SOON ? { tone: "warning", key: "soon", count } : { tone: "good", key: "later", count };
}
