import type { types } from "mediasoup";
import type { AudioLevels } from "./audio-levels.ts";
import * as speaker from "./speaker.ts";

/** Listens to a room's levels, and says when another participant than before speaks loudest: the shell around `speaker.ts`. */
export class Speech {
  readonly #levels: AudioLevels;
  readonly #sampling: NodeJS.Timeout;
  readonly #onSpeaker: (participantId: string) => void;
  #speakers = speaker.NOBODY_SPEAKS;

  constructor(levels: AudioLevels, onSpeaker: (participantId: string) => void) {
    this.#levels = levels;
    this.#onSpeaker = onSpeaker;
    this.#sampling = setInterval(() => this.#sample(), speaker.SAMPLE_MS);
  }

  follow(participantId: string, producer: types.Producer): void {
    void this.#levels.follow(participantId, producer.id);
  }

  gone(participantId: string): void {
    this.#speakers = speaker.gone(this.#speakers, participantId);
  }

  stop(): void {
    clearInterval(this.#sampling);
    this.#levels.close();
  }

  #sample(): void {
    const before = this.#speakers.dominant;
    this.#speakers = speaker.sample(this.#speakers, this.#levels.take());
    const { dominant } = this.#speakers;
    if (dominant !== null && dominant !== before) this.#onSpeaker(dominant);
  }
}
