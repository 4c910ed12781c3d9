import { useEffect } from "preact/hooks";
import type { Room, VideoSource } from "../../client/index.ts";
import { type Fit, shownHeight } from "./layout.ts";

/** Tells the room how high a tile is to be seen, and that it is not any more. */
export function useShown(
  element: { readonly current: HTMLElement | null },
  room: Room,
  { key, source, fit }: { readonly key: string; readonly source: VideoSource; readonly fit: Fit },
): void {
  useEffect(() => {
    const box = element.current;
    if (!box) return;
    let isVisible = true;
    const tell = () => {
      const { width, height } = box.getBoundingClientRect();
      room.show(key, source, isVisible ? shownHeight({ width, height }, fit, devicePixelRatio) : 0);
    };
    const sizes = new ResizeObserver(tell);
    const views = new IntersectionObserver((entries) => {
      isVisible = entries.at(-1)?.isIntersecting ?? isVisible;
      tell();
    });
    sizes.observe(box);
    views.observe(box);
    return () => {
      sizes.disconnect();
      views.disconnect();
      room.show(key, source, 0);
    };
  }, [room, key, source, fit]);
}
