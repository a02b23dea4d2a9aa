import { MessageBar, MessageBarBody } from "@fluentui/react-components";
import { useEffect, useState } from "react";
import { lockedFor, wait } from "./refusals";

/** After too many attempts: how long nobody may try again. `children` says it of that time. */
export function Locked({ seconds, children }: { seconds: number; children: (time: string) => string }) {
  if (seconds <= 0) return null;
  return (
    <MessageBar intent="error" layout="multiline" role="alert">
      <MessageBarBody>{children(wait(seconds))}</MessageBarBody>
    </MessageBar>
  );
}

/** Counts the seconds of a lock-out down, from the refusal that says it. */
export function useLock(): [left: number, refused: (error: unknown) => void] {
  const [{ end, now }, set] = useState({ end: 0, now: 0 });
  const running = now < end;
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => set((before) => ({ ...before, now: Date.now() })), 1_000);
    return () => clearInterval(timer);
  }, [running]);
  const refused = (error: unknown) => set({ end: Date.now() + (lockedFor(error) ?? 0) * 1_000, now: Date.now() });
  return [Math.max(0, Math.ceil((end - now) / 1_000)), refused];
}
