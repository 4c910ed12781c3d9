/** What `getDisplayMedia` gave. */
export interface Screen {
  readonly video: MediaStreamTrack;
  readonly audio: MediaStreamTrack | null;
}

/** Lets go of it: the browser's own bar goes too. */
export function release({ video, audio }: Screen): void {
  video.stop();
  audio?.stop();
}

/** The screen that this device shares, until its user stops it here or in the browser's own bar. */
export class SharedScreen {
  readonly #changed: () => void;
  #screen: Screen | null = null;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get video(): MediaStreamTrack | null {
    return this.#screen?.video ?? null;
  }

  get audio(): MediaStreamTrack | null {
    return this.#screen?.audio ?? null;
  }

  set(screen: Screen): void {
    this.#end();
    // Letters are to stay sharp; a few pictures a second do.
    screen.video.contentHint = "detail";
    screen.video.onended = () => this.stop();
    this.#screen = screen;
    this.#changed();
  }

  stop(): void {
    if (!this.#screen) return;
    this.#end();
    this.#changed();
  }

  #end(): void {
    if (!this.#screen) return;
    this.#screen.video.onended = null;
    release(this.#screen);
    this.#screen = null;
  }
}
