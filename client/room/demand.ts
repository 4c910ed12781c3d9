import type { VideoRequest } from "../../schema/room.ts";
import type { Device } from "./people.ts";
import { type Shown, type VideoSource, wantsOf } from "./wants.ts";

/** What is on the screen changes by the frame while a window is resized. */
const GATHER_MS = 200;

interface DemandOptions {
  /** By the participants' keys. */
  readonly devices: () => ReadonlyMap<string, Device>;
  /** @returns whether there is a room to tell */
  readonly tell: (wants: VideoRequest[]) => boolean;
}

/** Tells the room how high the others' videos are shown here, when that has changed. */
export class Demand {
  readonly #options: DemandOptions;
  readonly #shown = new Map<string, Shown>();
  #told = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: DemandOptions) {
    this.#options = options;
  }

  show(key: string, source: VideoSource, height: number): void {
    this.#shown.set(`${key}/${source}`, { key, source, height });
    this.changed();
  }

  /** Who is in the room, and in which places, may have changed. A page that never says what it shows gets all. */
  changed(): void {
    if (this.#shown.size > 0) this.#timer ??= setTimeout(() => this.#tell(), GATHER_MS);
  }

  /** A room in which nothing was said yet. */
  reset(): void {
    this.#told = "";
    this.changed();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#shown.clear();
  }

  #tell(): void {
    this.#timer = undefined;
    const devices = this.#options.devices();
    for (const [name, { key, height }] of this.#shown) if (height === 0 && !devices.has(key)) this.#shown.delete(name);
    const wants = wantsOf(this.#shown.values(), devices);
    const telling = JSON.stringify(wants);
    if (telling !== this.#told && this.#options.tell(wants)) this.#told = telling;
  }
}
