import nodeDataChannel, { type Audio, type PeerConnection, type Track, type Video } from "node-datachannel";
import type { Received, Stack } from "./stack-participant.ts";
import { endsFrame, isRtcp, type Outlet, SyntheticMedia } from "./stack-rtp.ts";

const OPUS = 111;
const VP8 = 96;

export interface LibdatachannelOptions {
  readonly intervalMs?: number;
}

let ssrcs = 1;

/** libdatachannel: it sends the RTP packets that it is given, and gives those that arrive. */
export class LibdatachannelStack implements Stack {
  readonly #connection: PeerConnection;
  readonly #media: SyntheticMedia;
  readonly #received = new Map<string, { packets: number; frames: number }>();
  /** What is not held here is collected, and then closed. */
  readonly #tracks: Track[] = [];

  constructor(name: string, { intervalMs }: LibdatachannelOptions = {}) {
    this.#connection = new nodeDataChannel.PeerConnection(name, { iceServers: [], disableAutoNegotiation: true });
    this.#connection.onTrack((track) => this.#receive(track));
    const audio = new nodeDataChannel.Audio("0", "SendOnly");
    audio.addOpusCodec(OPUS);
    const video = new nodeDataChannel.Video("1", "SendOnly");
    video.addVP8Codec(VP8);
    const [microphone, camera] = [this.#send(audio, OPUS), this.#send(video, VP8)];
    this.#media = new SyntheticMedia({ microphone, camera, ...(intervalMs !== undefined && { intervalMs }) });
  }

  async offer(): Promise<string> {
    return this.#describe("offer");
  }

  async takeAnswer(sdp: string): Promise<void> {
    this.#connection.setRemoteDescription(sdp, "answer");
  }

  async answer(sdp: string): Promise<string> {
    this.#connection.setRemoteDescription(sdp, "offer");
    return this.#describe("answer");
  }

  async received(): Promise<ReadonlyMap<string, Received>> {
    return this.#received;
  }

  async close(): Promise<void> {
    this.#media.stop();
    this.#connection.close();
  }

  #describe(type: "offer" | "answer"): string {
    this.#connection.setLocalDescription(type);
    return this.#connection.localDescription()?.sdp ?? "";
  }

  #send(media: Audio | Video, payloadType: number): () => Outlet | null {
    const ssrc = ssrcs++;
    media.addSSRC(ssrc, "stack");
    const track = this.#connection.addTrack(media);
    const outlet = { payloadType, ssrc, send: (packet: Buffer) => void track.sendMessageBinary(packet) };
    return () => (track.isOpen() ? outlet : null);
  }

  #receive(track: Track): void {
    this.#tracks.push(track);
    const [mid, isVideo] = [track.mid(), track.type() === "video"];
    const counts = { packets: 0, frames: 0 };
    this.#received.set(mid, counts);
    track.onMessage((packet) => {
      if (isRtcp(packet)) return;
      counts.packets += 1;
      if (isVideo && endsFrame(packet)) counts.frames += 1;
    });
  }
}
