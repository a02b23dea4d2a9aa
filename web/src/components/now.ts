import { useEffect, useState } from "react";

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
