/** A short gap heals by itself; then the impolite side restarts ICE first, so that offers rarely collide. */
const RESTART_MS = { impolite: 1_500, polite: 4_000 };
/** Between restarts: each needs the signalling's round trip and the checks. */
const AGAIN_MS = 6_000;
/** People have hung up by then. Sooner would end calls that a lift or a tunnel interrupts. */
const GIVE_UP_MS = 30_000;

export interface RecoveryActions {
  readonly restart: () => void;
  readonly gaveUp: () => void;
}

/** Restarts ICE (RFC 8445, section 2.4) while a path that once worked is broken. */
export class Recovery {
  readonly #firstMs: number;
  readonly #actions: RecoveryActions;
  #wasConnected = false;
  #restart: ReturnType<typeof setTimeout> | undefined;
  #giveUp: ReturnType<typeof setTimeout> | undefined;

  constructor(isPolite: boolean, actions: RecoveryActions) {
    this.#firstMs = isPolite ? RESTART_MS.polite : RESTART_MS.impolite;
    this.#actions = actions;
  }

  changed(state: RTCPeerConnectionState): void {
    switch (state) {
      case "connected":
        this.#wasConnected = true;
        this.stop();
        break;
      case "disconnected":
        this.#begin(this.#firstMs);
        break;
      case "failed":
        this.#begin(0);
        break;
      case "closed":
        this.stop();
        break;
      case "new":
      case "connecting":
        break;
    }
  }

  stop(): void {
    clearTimeout(this.#restart);
    clearTimeout(this.#giveUp);
    this.#restart = undefined;
    this.#giveUp = undefined;
  }

  #begin(afterMs: number): void {
    clearTimeout(this.#restart);
    this.#restart = setTimeout(() => this.#tick(), afterMs);
    // Before the first connection the server's own limit decides.
    if (this.#wasConnected) this.#giveUp ??= setTimeout(() => this.#end(), GIVE_UP_MS);
  }

  #tick(): void {
    this.#actions.restart();
    this.#restart = setTimeout(() => this.#tick(), AGAIN_MS);
  }

  #end(): void {
    this.stop();
    this.#actions.gaveUp();
  }
}
