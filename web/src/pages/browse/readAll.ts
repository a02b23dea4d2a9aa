/** Browsers open no more connections to one server. */
const AT_ONCE = 6;

/** Does the same with each of many, a few at a time, in their order. `tell` hears how many are done. */
export async function readAll<One, Read>(all: readonly One[], read: (one: One) => Promise<Read>, tell: (done: number) => void): Promise<Read[]> {
  const found: Read[] = Array.from({ length: all.length });
  let [next, done] = [0, 0];
  const work = async () => {
    while (next < all.length) {
      const at = next;
      next += 1;
      // Several of these are at it side by side.
      // oxlint-disable-next-line no-await-in-loop
      found[at] = await read(all[at] as One);
      done += 1;
      tell(done);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return found;
}
