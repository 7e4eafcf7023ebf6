/** What a part shows that the daemon has to be asked for: its data, its failure, and whether it is on its way. */
import { useEffect, useRef, useState } from "./vendor/preact.js";
import { Failure } from "./api.js";

/** How long old content may stay while new is on its way, and how long nothing shows before a skeleton does: 200 ms. */
export const PATIENCE = 200;

/**
 * @template T
 * @typedef {{data: T | null, failure: Failure | null, loading: boolean, reload: () => void, change: (edit: (data: T) =>
 * T) => void}} Resource
 */

/** @param {unknown} error @returns {Failure} */
export function asFailure(error) {
  if (error instanceof Failure) return error;
  return new Failure(
    {
      code: "page",
      what: String(error),
      why: null,
      do: null,
      details: error instanceof Error ? (error.stack ?? null) : null,
    },
    0,
  );
}

/**
 * Load when the part appears and whenever `about` or `turn` changes. A new `about` is another thing to show (old data
 * goes after 200 ms);
 * a new `turn` is the same thing again (old data stays until the new is there).
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {unknown[]} about
 * @param {unknown} [turn]
 * @returns {Resource<T>}
 */
export function useResource(load, about, turn = 0) {
  const [state, setState] = useState(
    /** @type {{data: T | null, failure: Failure | null, loading: boolean}} */ ({
      data: null,
      failure: null,
      loading: true,
    }),
  );
  const [again, setAgain] = useState(0);
  const shown = useRef("");
  const subject = JSON.stringify(about);

  useEffect(() => {
    const abort = new AbortController();
    const another = shown.current !== subject;
    shown.current = subject;
    setState((before) => ({ ...before, loading: true }));
    const clearing = another
      ? setTimeout(
          () => setState((before) => (before.loading ? { ...before, data: null, failure: null } : before)),
          PATIENCE,
        )
      : 0;
    load(abort.signal).then(
      (data) => {
        clearTimeout(clearing);
        if (!abort.signal.aborted) setState({ data, failure: null, loading: false });
      },
      (error) => {
        clearTimeout(clearing);
        if (!abort.signal.aborted)
          setState((before) => ({ data: another ? null : before.data, failure: asFailure(error), loading: false }));
      },
    );
    return () => {
      abort.abort();
      clearTimeout(clearing);
    };
  }, [subject, turn, again]);

  return {
    ...state,
    reload: () => setAgain((value) => value + 1),
    change: (edit) => setState((before) => (before.data === null ? before : { ...before, data: edit(before.data) })),
  };
}
