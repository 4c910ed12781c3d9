import { useEffect, useReducer } from "preact/hooks";
import type { Signal } from "../../client/index.ts";

/** Renders again whenever the signal tells of something. */
export function useSignal<T>(signal: Signal<T>): void {
  const [, render] = useReducer<number, void>((count) => count + 1, 0);
  useEffect(() => {
    // Something may have happened between the first rendering and now.
    render();
    return signal.subscribe(() => render());
  }, [signal]);
}
