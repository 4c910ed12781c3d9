import type { ClientMessageInput } from "../../../schema/client-messages.ts";
import { parseServerFrame, type ServerMessage, type ServerMessageOf } from "../../../schema/server-messages.ts";
import type { Link, Radio } from "./network.ts";
import type { Person, World } from "./world.ts";

export interface DeviceSocketOptions {
  readonly world: World;
  readonly radio: Radio;
  readonly person: Person;
  readonly path: string;
  readonly register: () => Extract<ClientMessageInput, { type: "register" }>;
  readonly onRegistered: (message: ServerMessageOf<"registered">) => void;
  readonly onMessage: (message: ServerMessage) => void;
}

/** At most, from the network to the next attempt. */
const RETRY_MS = 1_000;
/** How often a connection is given up while it registers, and its `register` comes later than that of the next. */
const GHOSTS = 0.2;
const GHOST_MS = 3_000;
const CLOSE_REPLACED = 4000;

/** A socket that comes back as soon as there is a network. */
export class DeviceSocket {
  isOpen = false;
  readonly #options: DeviceSocketOptions;
  #link: Link | null = null;
  #isWanted = true;

  constructor(options: DeviceSocketOptions) {
    this.#options = options;
    this.#dial();
  }

  /** @returns whether it was open; if not, nothing happens */
  send(message: ClientMessageInput): boolean {
    if (this.isOpen) this.#link?.say(JSON.stringify(message));
    return this.isOpen;
  }

  close(): void {
    this.#isWanted = false;
    this.isOpen = false;
    this.#link?.hangUp(1000);
  }

  #dial(): void {
    const { world, radio, person, path } = this.#options;
    if (!this.#isWanted) return;
    this.#link = world.dial(radio, person, path, {
      opened: () => this.#link?.say(JSON.stringify(this.#options.register())),
      heard: (frame) => this.#heard(frame),
      closed: (code) => this.#closed(code),
    });
  }

  #heard(frame: string): void {
    const message = parseServerFrame(frame);
    if (!message) throw new Error(`the wire does not know ${frame}`);
    if (message.type !== "registered") this.#options.onMessage(message);
    else {
      this.isOpen = true;
      this.#options.onRegistered(message);
    }
  }

  #closed(code: number): void {
    const { radio, world } = this.#options;
    this.isOpen = false;
    if (code === CLOSE_REPLACED) throw new Error("the newest connection of the device was closed");
    radio.whenUp(() => {
      const dial = () => (world.random.happens(GHOSTS) ? this.#haunt() : this.#dial());
      world.clock.after(world.random.below(RETRY_MS), dial);
    });
  }

  /** A connection that is given up once it is open: its `register` may come after that of the next one. */
  #haunt(): void {
    const { world, radio, person, path, register } = this.#options;
    const link = world.dial(radio, person, path, {
      opened: () => {
        link.say(JSON.stringify(register()), world.random.below(GHOST_MS));
        link.lose();
      },
      heard: () => {},
      closed: () => this.#dial(),
    });
  }
}
