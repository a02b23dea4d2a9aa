import { LOCALE } from "./format";

interface Taken {
  id: string;
  time: string;
}

const SHORT = 8;

/**
 * How each of some snapshots is told, so that nobody takes one for another: by its minute where that is enough, else with seconds and zone (an hour
 * comes twice when clocks go back), else with the beginning of its id, too.
 */
export function apart(all: readonly Taken[], timeZone?: string): (one: Taken) => string {
  const zone = timeZone === undefined ? {} : { timeZone };
  const minutes = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short", ...zone });
  const seconds = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "long", ...zone });
  const ways = [
    ({ time }: Taken) => minutes.format(new Date(time)),
    ({ time }: Taken) => seconds.format(new Date(time)),
    ({ time, id }: Taken) => `${seconds.format(new Date(time))} (${id.slice(0, SHORT)})`,
  ];
  const counted = ways.map((way) => {
    const ids = new Map<string, Set<string>>();
    for (const one of all) {
      const told = way(one);
      ids.set(told, (ids.get(told) ?? new Set()).add(one.id));
    }
    return ids;
  });
  return (one) => {
    const told = ways.map((way) => way(one));
    return told.find((words, index) => (counted[index]?.get(words)?.size ?? 0) <= 1) ?? told.at(-1) ?? "";
  };
}
