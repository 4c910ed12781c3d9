import type { types } from "mediasoup";
import type { TrackSource } from "../../schema/room.ts";
import type { PipeAddress, PipeTrack, PipeTrackChanged } from "../../schema/room-pipe.ts";
import type { FromNode } from "../../schema/room-socket.ts";
import { type Outgoing, Pipe } from "./pipe.ts";

export interface PipesOptions {
  readonly router: types.Router;
  readonly listenInfo: types.TransportListenInfo;
  readonly announcedAddress: string;
  readonly send: (message: FromNode) => void;
  /** What the people on other nodes send has changed. */
  readonly onTracks: (participantId: string) => void;
}

/** The pipes between a room here and itself on other nodes: one to each, so that a track crosses each way once. */
export class Pipes {
  readonly #options: PipesOptions;
  readonly #pipes = new Map<string, Pipe>();
  /** What crosses, by producer. */
  readonly #outgoing = new Map<string, Outgoing>();
  /** Whom each pipe brings. */
  readonly #remote = new Map<string, { readonly pipe: Pipe; readonly sources: Set<TrackSource> }>();

  constructor(options: PipesOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#pipes.size === 0;
  }

  async open(peerNodeId: string): Promise<void> {
    const { send } = this.#options;
    const pipe = this.#pipes.get(peerNodeId) ?? (await Pipe.open({ ...this.#options, peerNodeId }));
    this.#pipes.set(peerNodeId, pipe);
    send({ type: "pipe_opened", peerNodeId, address: pipe.address });
  }

  async connect(peerNodeId: string, address: PipeAddress): Promise<void> {
    const pipe = this.#pipes.get(peerNodeId);
    if (!pipe) return;
    await pipe.connect(address);
    for (const outgoing of this.#outgoing.values()) await this.#cross(pipe, outgoing);
  }

  close(peerNodeId: string): void {
    const pipe = this.#pipes.get(peerNodeId);
    this.#pipes.delete(peerNodeId);
    pipe?.close();
    for (const [participantId, remote] of [...this.#remote]) {
      if (remote.pipe !== pipe) continue;
      this.#remote.delete(participantId);
      this.#options.onTracks(participantId);
    }
  }

  /** All that the people on this node send: what is new crosses, what is gone is gone over there too. */
  async setOutgoing(outgoing: readonly Outgoing[]): Promise<void> {
    const ids = new Set(outgoing.map(({ producer }) => producer.id));
    for (const [id, gone] of [...this.#outgoing]) if (!ids.has(id)) this.#end(id, gone);
    const fresh = outgoing.filter(({ producer }) => !this.#outgoing.has(producer.id));
    for (const one of fresh) this.#outgoing.set(one.producer.id, one);
    for (const pipe of this.#pipes.values()) for (const one of fresh) await this.#cross(pipe, one);
  }

  tellMuted(participantId: string, source: TrackSource, isMuted: boolean): void {
    this.#tell(participantId, source, isMuted ? "muted" : "unmuted");
  }

  async receive(track: PipeTrack): Promise<void> {
    const { peerNodeId, participantId, source } = track;
    const pipe = this.#pipes.get(peerNodeId);
    if (!pipe) return;
    await pipe.receive(track);
    const remote = this.#remote.get(participantId) ?? { pipe, sources: new Set() };
    remote.sources.add(source);
    this.#remote.set(participantId, remote);
    this.#options.onTracks(participantId);
  }

  async change({ participantId, source, state }: PipeTrackChanged): Promise<void> {
    const remote = this.#remote.get(participantId);
    const producer = remote?.pipe.received(participantId, source);
    if (!remote || !producer) return;
    switch (state) {
      case "muted":
        await producer.pause();
        break;
      case "unmuted":
        await producer.resume();
        break;
      case "gone":
        remote.pipe.drop(participantId, source);
        remote.sources.delete(source);
        if (remote.sources.size === 0) this.#remote.delete(participantId);
        break;
    }
    this.#options.onTracks(participantId);
  }

  /** What somebody on another node sends, as it arrives here; null if nobody there is called so. */
  producersOf(participantId: string): ReadonlyMap<TrackSource, types.Producer> | null {
    const remote = this.#remote.get(participantId);
    if (!remote) return null;
    const found = new Map<TrackSource, types.Producer>();
    for (const source of remote.sources) {
      const producer = remote.pipe.received(participantId, source);
      if (producer) found.set(source, producer);
    }
    return found;
  }

  async #cross(pipe: Pipe, outgoing: Outgoing): Promise<void> {
    if (!pipe.isConnected) return;
    try {
      const track = await pipe.send(outgoing);
      if (track) this.#options.send(track);
    } catch {
      // The producer has gone meanwhile, or the pipe has.
    }
  }

  #end(producerId: string, { participantId, source }: Outgoing): void {
    this.#outgoing.delete(producerId);
    const isReplaced = [...this.#outgoing.values()].some(
      (one) => one.participantId === participantId && one.source === source,
    );
    if (!isReplaced) this.#tell(participantId, source, "gone");
  }

  #tell(participantId: string, source: TrackSource, state: PipeTrackChanged["state"]): void {
    for (const [peerNodeId, pipe] of this.#pipes) {
      if (!pipe.isConnected) continue;
      this.#options.send({ type: "pipe_track_changed", peerNodeId, participantId, source, state });
    }
  }
}
