import { useEffect, useState } from "react";
import { ago } from "./format";

const TICK = 30_000;

/** The time, which goes on by itself: what is told by it does not get old on the screen. */
export function useNow(every = TICK): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

/** A moment within a text as people say it, which goes on by itself; `Time` where it stands alone. */
export function useAgo(): (time: string) => string {
  const now = useNow();
  return (time) => ago(time, now);
}
