import { useEffect, useRef } from "react";
import { client } from "../api/client";
import { useConnected } from "../api/live";
import { Problem } from "../api/problem";
import { Failed } from "../components/State";

const isAway = (error: unknown) => Problem.from(error).code === "unreachable";

/**
 * The script of a page. When it does not come, the server is asked: one that is away is what is told, and one that answers has other
 * scripts by now, for which the router loads the document anew.
 */
export async function arriving<Module>(load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    await client.GET("/me").catch((away: unknown) => {
      if (isAway(away)) throw away;
    });
    throw error;
  }
}

/** Loads the document anew, once the server is there to give it: browsers do not fetch a script again that once failed. */
async function anew() {
  await client.GET("/me").then(
    () => location.reload(),
    (error: unknown) => !isAway(error) && location.reload(),
  );
}

/** A page that could not be opened. It comes by itself when the server is back. */
export function PageFailed({ error, reset }: { error: unknown; reset: () => void }) {
  const connected = useConnected();
  const lost = useRef(false);
  const away = isAway(error);
  useEffect(() => {
    if (!connected) lost.current = true;
    else if (lost.current && away) void anew();
  }, [connected, away]);
  return <Failed error={error} retry={() => (away ? void anew() : reset())} />;
}
