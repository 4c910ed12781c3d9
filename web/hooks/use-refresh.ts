import { useEffect } from "preact/hooks";

/** Runs `refresh` now, every `everyMs` while the page is looked at, and when it is looked at again. */
export function useRefresh(refresh: () => Promise<void>, everyMs: number): void {
  useEffect(() => {
    const run = () => {
      if (document.visibilityState === "visible") void refresh();
    };
    void refresh();
    const timer = setInterval(run, everyMs);
    document.addEventListener("visibilitychange", run);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", run);
    };
  }, [refresh, everyMs]);
}
