import { Toaster } from "@fluentui/react-components";
import { useEffect, useState } from "react";
import { useTexts } from "../texts";
import { listen, TOASTER } from "./toast";

/** Where short messages appear: a landmark of its own, so that nobody who goes from one to the next misses them. */
export default function Toasts() {
  const t = useTexts();
  const [place, setPlace] = useState<HTMLElement | null>(null);
  // What the toaster does when it appears is done before this.
  useEffect(() => {
    if (place) listen();
  }, [place]);
  return (
    <section ref={setPlace} aria-label={t("messages")}>
      {place && <Toaster toasterId={TOASTER} position="bottom-end" mountNode={place} />}
    </section>
  );
}
