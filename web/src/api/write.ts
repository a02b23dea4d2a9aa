import { hashKey, useMutation, type UseMutationOptions, type UseMutationResult } from "@tanstack/react-query";
import { useMemo } from "react";

/** Does what is asked for, but while it is at it the same wish once. What it failed with is told elsewhere. */
export function singly<Words extends readonly unknown[]>(write: (...words: Words) => Promise<unknown>): (...words: Words) => void {
  const wishes = new Set<string>();
  return (...words) => {
    const wish = hashKey([words[0]]);
    if (wishes.has(wish)) return;
    wishes.add(wish);
    const over = () => void wishes.delete(wish);
    void write(...words).then(over, over);
  };
}

/**
 * A write that is asked for again while it is under way, as by a second click, is the same wish: nothing is sent, told or opened twice.
 * It is under way until what follows it (`onSuccess`) is done, too: a page that opens then is to be awaited there.
 */
export function useSingle<Data, Failure, Variables, Context>(
  made: UseMutationResult<Data, Failure, Variables, Context>,
): UseMutationResult<Data, Failure, Variables, Context> {
  const { mutateAsync } = made;
  const mutate: typeof made.mutate = useMemo(() => singly((...words: Parameters<typeof mutateAsync>) => mutateAsync(...words)), [mutateAsync]);
  return { ...made, mutate };
}

/** `useMutation` for what takes more than one request of the interface; all writes are made by this or by `api.useMutation`. */
export function useWrite<Data = unknown, Variables = void, Context = unknown>(
  options: UseMutationOptions<Data, Error, Variables, Context>,
): UseMutationResult<Data, Error, Variables, Context> {
  return useSingle(useMutation(options));
}
