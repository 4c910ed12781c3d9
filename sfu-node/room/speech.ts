import type { types } from "mediasoup";
import type { AudioLevels } from "./audio-levels.ts";
import * as speaker from "./speaker.ts";

/** Listens to a room's levels, and says when another participant than before speaks loudest: the shell around `speaker.ts`. */
export class Speech {
  readonly #levels: AudioLevels;
  readonly #onSpeaker: (participantId: string) => void;
  #speakers = speaker.NOBODY_SPEAKS;

  constructor(levels: AudioLevels, onSpeaker: (participantId: string) => void) {
    this.#levels = levels;
    this.#onSpeaker = onSpeaker;
    levels.onLevels = (window) => this.#hear(window);
  }

  follow(participantId: string, producer: types.Producer): void {
    void this.#levels.follow(participantId, producer);
  }

  gone(participantId: string): void {
    this.#speakers = speaker.gone(this.#speakers, participantId);
  }

  stop(): void {
    this.#levels.close();
  }

  #hear(window: ReadonlyMap<string, number>): void {
    const before = this.#speakers.dominant;
    this.#speakers = speaker.sample(this.#speakers, window);
    const { dominant } = this.#speakers;
    if (dominant !== null && dominant !== before) this.#onSpeaker(dominant);
  }
}
