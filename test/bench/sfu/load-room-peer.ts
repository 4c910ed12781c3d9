import type { RoomPeer, RoomPeerEvents } from "../../../client/index.ts";
import { FakeTrack } from "../../support/fake-media.ts";
import type { Sending } from "./load-media.ts";
import { LoadStack } from "./load-stack.ts";

/** Chromium calls a path `disconnected` when it has heard nothing for this long. */
const SILENCE_MS = 2_500;
const LOOK_MS = 100;

/** The connection to a room of an SDK that runs without a browser. */
export class LoadRoomPeer implements RoomPeer {
  readonly #events: RoomPeerEvents;
  readonly #stack: Promise<LoadStack>;
  /** By SSRC. */
  readonly #tracks = new Map<number, FakeTrack>();
  #opened: LoadStack | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(events: RoomPeerEvents, sending: Sending, onMedia: (tag: number) => void) {
    this.#events = events;
    this.#stack = this.#open(sending, onMedia);
  }

  async publish(): Promise<void> {}

  async offer() {
    const sdp = await (await this.#stack).offer();
    const tracks = [
      { mid: "0", source: "microphone" as const },
      { mid: "1", source: "camera" as const },
    ];
    return { sdp, tracks };
  }

  async takeAnswer(sdp: string): Promise<void> {
    await (await this.#stack).takeAnswer(sdp);
  }

  async answer(sdp: string): Promise<string> {
    return (await this.#stack).answer(sdp);
  }

  async limit(): Promise<void> {}

  track(mid: string): MediaStreamTrack | null {
    const ssrc = this.#opened?.flowing(mid) ?? null;
    return ssrc === null ? null : (this.#tracks.get(ssrc) ?? this.#made(ssrc));
  }

  async sample() {
    return { received: this.#opened?.packetsReceived ?? 0, lost: 0, peerLoss: 0, rttMs: 0 };
  }

  stats(): Promise<RTCStatsReport> {
    throw new Error("a client of the load keeps no statistics");
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    void this.#stack.then((stack) => stack.close());
  }

  async #open(sending: Sending, onMedia: (tag: number) => void): Promise<LoadStack> {
    const stack = await LoadStack.open(sending);
    this.#opened = stack;
    stack.onMedia = onMedia;
    stack.onTrack = () => this.#events.remoteChanged();
    stack.connected.then(
      () => this.#isClosed || this.#watch(stack),
      () => this.#isClosed || this.#events.path("gone"),
    );
    return stack;
  }

  #watch({ link }: LoadStack): void {
    let isUp = true;
    this.#events.path("up");
    this.#timer = setInterval(() => {
      const isHeard = performance.now() - link.heardAt < SILENCE_MS;
      if (isHeard === isUp) return;
      isUp = isHeard;
      this.#events.path(isUp ? "up" : "interrupted");
    }, LOOK_MS);
  }

  #made(ssrc: number): FakeTrack {
    const track = new FakeTrack("video");
    this.#tracks.set(ssrc, track);
    return track;
  }
}
