import type { FromNode } from "../../schema/room-socket.ts";
import { demand, keyOf, type Room } from "./room.ts";

const VIDEO_SOURCES = ["camera", "screen"] as const;

type VideoSource = (typeof VIDEO_SOURCES)[number];

/** Tells senders how high their videos are wanted, when that has changed: layers that nobody watches are not sent. */
export class VideoDemand {
  readonly #send: (message: FromNode) => void;
  /** What participants were told to be wanted of their videos; of the others everything is. */
  readonly #told = new Map<string, number>();

  constructor(send: (message: FromNode) => void) {
    this.#send = send;
  }

  /** @param isElsewhere the room is on other nodes too: of those who watch there nothing is known, they may want all */
  tell(room: Room, participantId: string, isElsewhere: boolean): void {
    for (const source of VIDEO_SOURCES) {
      const sender = room.people.get(participantId);
      if (!sender?.tracks.has(source) || sender.muted.has(source)) continue;
      this.#tell(participantId, source, isElsewhere ? Number.POSITIVE_INFINITY : demand(room, participantId, source));
    }
  }

  forget(participantId: string): void {
    for (const source of VIDEO_SOURCES) this.#told.delete(keyOf(participantId, source));
  }

  #tell(participantId: string, source: VideoSource, wanted: number): void {
    const key = keyOf(participantId, source);
    if ((this.#told.get(key) ?? Number.POSITIVE_INFINITY) === wanted) return;
    this.#told.set(key, wanted);
    const height = Number.isFinite(wanted) ? wanted : null;
    this.#send({ type: "video_wanted", participantId, source, height });
  }
}
