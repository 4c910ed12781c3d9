import { useLayoutEffect, useState } from "preact/hooks";

export interface Area {
  readonly width: number;
  readonly height: number;
}

/** How large an element is, while it is there. */
export function useArea(element: { readonly current: HTMLElement | null }): Area {
  const [area, setArea] = useState<Area>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setArea({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return area;
}
