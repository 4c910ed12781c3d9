import type { IceCandidate } from "../schema/client-messages.ts";
import type { CallLink } from "./call-link.ts";
import { type CandidateBatch, CandidateBatcher } from "./candidate-batch.ts";
import { SwitchboardError, type SwitchboardErrorCode } from "./errors.ts";
import { LocalTracks } from "./local-tracks.ts";
import type { LocalMedia, MediaChoice } from "./media.ts";
import type { Description, MediaKind, Peer, PeerEvents } from "./peer.ts";
import { GOOD, judge, type Quality } from "./quality.ts";

export interface CallMediaEvents extends Pick<PeerEvents, "description" | "path"> {
  candidates(batch: CandidateBatch): void;
  /** Something that a page shows has changed. */
  changed(): void;
}

/** How often the connection is judged. More often costs battery, less often warns late. */
const SAMPLE_MS = 2_000;

/** Sound and picture of one call: this device's tracks, the peer connection, how well it carries. */
export class CallMedia {
  readonly #link: CallLink;
  readonly #isPolite: boolean;
  readonly #events: CallMediaEvents;
  readonly #tracks = new LocalTracks();
  #batcher: CandidateBatcher;
  #peer: Peer | null = null;
  #quality: Quality = GOOD;
  #sampling: ReturnType<typeof setInterval> | undefined;
  #withoutVideo: SwitchboardErrorCode | null = null;
  #isClosed = false;

  constructor(link: CallLink, isPolite: boolean, events: CallMediaEvents) {
    this.#link = link;
    this.#isPolite = isPolite;
    this.#events = events;
    this.#batcher = new CandidateBatcher((batch) => events.candidates(batch));
  }

  /** What this device's camera sees, while it is on. */
  get camera(): MediaStreamTrack | null {
    return this.#tracks.video;
  }

  get isMuted(): boolean {
    return this.#tracks.isMuted;
  }

  /** Why there is no picture although one was asked for. */
  get withoutVideo(): SwitchboardErrorCode | null {
    return this.#withoutVideo;
  }

  /** Packets are lost or late: turning the camera off leaves more room for the voice. */
  get isPoor(): boolean {
    return this.#quality.isPoor;
  }

  /** The other side's sound and picture; null before there is a connection. */
  get remoteStream(): MediaStream | null {
    return this.#peer?.remoteStream ?? null;
  }

  /** Whether the other side sends a picture now. */
  get hasRemoteVideo(): boolean {
    return this.remoteStream?.getVideoTracks().some((track) => !track.muted && track.readyState === "live") ?? false;
  }

  mute(isMuted: boolean): void {
    this.#tracks.mute(isMuted);
    this.#events.changed();
  }

  /** @throws SwitchboardError `camera_denied` or `camera_missing` */
  async setCamera(isOn: boolean, cameraId?: string): Promise<void> {
    await this.#replace("video", isOn ? await this.#link.openCamera(cameraId) : null);
    this.#withoutVideo = null;
  }

  /** @throws SwitchboardError `microphone_denied` or `microphone_missing` */
  async setMicrophone(microphoneId: string): Promise<void> {
    await this.#replace("audio", await this.#link.openMicrophone(microphoneId));
  }

  /** Raw statistics of the connection (W3C webrtc-stats); null before there is one. */
  async stats(): Promise<RTCStatsReport | null> {
    return this.#peer?.stats() ?? null;
  }

  async offer(choice: MediaChoice): Promise<string> {
    const [media, peer] = await this.#open(choice);
    await this.#send(media, peer);
    return peer.createOffer();
  }

  /** @returns the answer; undefined where the caller has not offered yet */
  async answer(choice: MediaChoice, offer: string | undefined): Promise<string | undefined> {
    const [media, peer] = await this.#open(choice);
    if (offer !== undefined) await peer.acceptOffer(offer);
    await this.#send(media, peer);
    return offer === undefined ? undefined : peer.createAnswer();
  }

  /** From now on candidates have somebody to go to. */
  release(afterMs?: number): void {
    this.#batcher.release(afterMs);
  }

  /** Both sides are there. */
  async established(answer?: string): Promise<void> {
    this.#sampling ??= this.#isClosed ? undefined : setInterval(() => void this.#sample(), SAMPLE_MS);
    await this.#peer?.established(answer);
  }

  async describe(description: Description): Promise<void> {
    await this.#peer?.describe(description);
  }

  async addCandidates(candidates: readonly IceCandidate[], endOfCandidates: boolean): Promise<void> {
    await this.#peer?.addCandidates(candidates, endOfCandidates);
  }

  recover(): void {
    this.#peer?.recover();
  }

  /** Back to before the answer, which did not succeed. */
  reset(): void {
    clearInterval(this.#sampling);
    this.#sampling = undefined;
    this.#batcher.close();
    this.#tracks.stop();
    this.#peer?.close();
    this.#peer = null;
    this.#batcher = new CandidateBatcher((batch) => this.#events.candidates(batch));
  }

  close(): void {
    this.#isClosed = true;
    this.reset();
  }

  /** Microphone and relays take their time: both are asked at once. */
  async #open(choice: MediaChoice): Promise<[LocalMedia, Peer]> {
    const [media, peer] = await Promise.allSettled([
      this.#link.openMedia(choice),
      this.#link.openPeer(this.#isPolite, this.#peerEvents()),
    ]);
    if (media.status === "fulfilled") this.#keep(media.value);
    if (peer.status === "fulfilled") this.#peer = peer.value;
    if (this.#isClosed) this.reset();
    if (media.status === "rejected") throw media.reason;
    if (peer.status === "rejected") throw peer.reason;
    if (this.#isClosed) throw new SwitchboardError("closed", "the call ended meanwhile");
    return [media.value, peer.value];
  }

  #keep({ audio, video, withoutVideo }: LocalMedia): void {
    this.#tracks.set("audio", audio);
    this.#tracks.set("video", video);
    this.#withoutVideo = withoutVideo;
    this.#events.changed();
  }

  async #send({ audio, video }: LocalMedia, peer: Peer): Promise<void> {
    await peer.setTrack("audio", audio);
    if (video) await peer.setTrack("video", video);
  }

  async #replace(kind: MediaKind, track: MediaStreamTrack | null): Promise<void> {
    if (this.#isClosed) {
      track?.stop();
      return;
    }
    this.#tracks.set(kind, track);
    await this.#peer?.setTrack(kind, track);
    this.#events.changed();
  }

  async #sample(): Promise<void> {
    const sample = await this.#peer?.sample();
    if (!sample) return;
    const before = this.#quality.isPoor;
    this.#quality = judge(this.#quality, sample);
    if (this.#quality.isPoor !== before) this.#events.changed();
  }

  #peerEvents(): PeerEvents {
    return {
      candidate: (candidate) => this.#batcher.add(candidate),
      description: (description) => this.#events.description(description),
      path: (state, candidateType) => this.#events.path(state, candidateType),
      remoteChanged: () => this.#events.changed(),
    };
  }
}
