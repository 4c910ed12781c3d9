import type { IceCandidate } from "../schema/client-messages.ts";
import type { CallLink } from "./call-link.ts";
import { Connection, type ConnectionEvents } from "./connection.ts";
import { SwitchboardError, type SwitchboardErrorCode } from "./errors.ts";
import { LocalTracks } from "./local-tracks.ts";
import type { LocalMedia, MediaChoice } from "./media.ts";
import type { Description, MediaKind, Peer, PeerEvents } from "./peer.ts";
import { QualityWatch } from "./quality-watch.ts";
import { mediaReturns } from "./return-of-media.ts";

export interface CallMediaEvents
  extends Pick<PeerEvents, "path">,
    Pick<ConnectionEvents, "candidates" | "description"> {
  /** Something that a page shows has changed. */
  changed(): void;
  /** Media comes by the connection that is to take the room's place. */
  pairUp(connectionId: string): void;
}

/**
 * A second connection: to the device that is taking the call over on the other side, or in a room with the other one who
 * is left.
 */
interface Next {
  readonly id: string;
  readonly isPair: boolean;
  readonly opening: Promise<Connection>;
}

/** Nobody leaves what works for what only seems to; of somebody who sends nothing, nothing comes. */
const NEXT_FLOWS_MS = 3_000;

/** The first connection's name while there are two: an answer without one would be taken for the new one's. */
const FIRST = "first";

/** Sound and picture of one call: this device's tracks, the connection that carries them, and how well it does. */
export class CallMedia {
  readonly #link: CallLink;
  readonly #events: CallMediaEvents;
  readonly #tracks = new LocalTracks();
  readonly #quality: QualityWatch;
  #main: Connection | null = null;
  #next: Next | null = null;
  /** The name of one that the other side is to offer. */
  #expected: string | null = null;
  #isOnHold = false;
  #withoutVideo: SwitchboardErrorCode | null = null;
  #isClosed = false;

  constructor(link: CallLink, events: CallMediaEvents) {
    this.#link = link;
    this.#events = events;
    this.#quality = new QualityWatch({
      sample: () => this.#main?.peer.sample(),
      changed: () => events.changed(),
    });
  }

  /** What this device's camera sees, while it is on. */
  get camera(): MediaStreamTrack | null {
    return this.#tracks.video;
  }

  /** What this device's microphone hears. */
  get microphone(): MediaStreamTrack | null {
    return this.#tracks.audio;
  }

  get isOnHold(): boolean {
    return this.#isOnHold;
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

  /** The other side's sound and picture; null before there is a connection. Another one after a handoff. */
  get remoteStream(): MediaStream | null {
    return this.#main?.peer.remoteStream ?? null;
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
    return this.#main?.peer.stats() ?? null;
  }

  /** Opens microphone and camera alone: in a group call a room connects. */
  async openDevices(choice: MediaChoice): Promise<void> {
    this.#keep(await this.#link.openMedia(choice));
    if (this.#isClosed) this.reset();
  }

  /** @param connectionId for a device that takes the call over: its connection is the call's second one */
  async offer(choice: MediaChoice, connectionId?: string): Promise<string> {
    const { peer } = await this.#open(choice, { isPolite: false, id: connectionId });
    await this.#send(peer);
    return peer.createOffer();
  }

  /** @returns the answer; undefined where the caller has not offered yet */
  async answer(choice: MediaChoice, offer: string | undefined): Promise<string | undefined> {
    const { peer } = await this.#open(choice, { isPolite: true });
    return this.#answer(peer, offer);
  }

  /**
   * Answers with what is open already, on a new connection: the one that was offered is of no use any more.
   * @param isVoice neither side sends a picture until its user turns the camera on
   */
  async answerInstead(offer: string | undefined, isVoice: boolean): Promise<string | undefined> {
    this.#main?.close();
    if (isVoice) this.#tracks.set("video", null);
    const connection = await this.#connect({ isPolite: true });
    this.#main = connection;
    if (this.#isClosed) this.reset();
    return this.#answer(this.#unlessClosed(connection).peer, offer, !isVoice);
  }

  /** Answers the offer of a device that is taking the call over; the first connection goes on beside it. */
  async answerNext(offer: string, id: string): Promise<string> {
    const connection = await this.#openNext({ id, isPair: this.isExpecting(id), isPolite: true });
    this.#expected = null;
    const answer = await this.#answer(connection.peer, offer);
    await connection.peer.established();
    connection.release();
    return answer ?? "";
  }

  /** Offers the other one who is left a connection; the room goes on beside it. */
  async offerNext(id: string): Promise<string> {
    const connection = await this.#openNext({ id, isPair: true, isPolite: false });
    await this.#send(connection.peer);
    const offer = await connection.peer.createOffer();
    connection.release();
    return offer;
  }

  /** The other one who is left is to offer it. */
  expectNext(id: string): void {
    this.#expected = id;
  }

  isExpecting(id: string): boolean {
    return this.#expected === id;
  }

  /** The call is on the second connection now. */
  async switchToNext(): Promise<void> {
    const next = this.#next;
    if (!next) return;
    this.#next = null;
    const connection = await next.opening;
    this.#main?.close();
    this.#main = connection;
    // Camera, microphone and hold may have changed since it was answered.
    connection.peer.play(!this.#isOnHold);
    this.#quality.start();
    await this.#send(connection.peer, true);
    if (connection.path) this.#events.path(connection.path);
    this.#events.changed();
  }

  /** It came to nothing. */
  dropNext(): void {
    const next = this.#next;
    this.#next = null;
    this.#expected = null;
    void next?.opening.then(
      (connection) => connection.close(),
      () => {},
    );
  }

  /** On hold nothing is sent, heard or seen; devices stay open and connections stay up. */
  async hold(isOn: boolean): Promise<void> {
    if (this.#isOnHold === isOn) return;
    this.#isOnHold = isOn;
    const peer = this.#main?.peer;
    peer?.play(!isOn);
    if (peer) await this.#send(peer, true);
  }

  /** From now on candidates have somebody to go to. */
  release(afterMs?: number): void {
    this.#main?.release(afterMs);
  }

  /** While nobody has answered, the edge may have forgotten them. */
  repeatCandidates(): void {
    this.#main?.repeatCandidates();
  }

  /** Both sides are there. */
  async established(answer?: string): Promise<void> {
    this.#main?.candidatesArrived();
    if (!this.#isClosed) this.#quality.start();
    await this.#main?.peer.established(answer);
  }

  async describe(description: Description, connectionId?: string): Promise<void> {
    const isFirstAnswer = description.sdpType === "answer" && this.#next?.isPair && this.#next.id === connectionId;
    await this.#with(connectionId, async (peer) => {
      if (isFirstAnswer) await peer.established(description.sdp);
      else await peer.describe(description);
    });
  }

  async addCandidates(
    candidates: readonly IceCandidate[],
    endOfCandidates: boolean,
    connectionId?: string,
  ): Promise<void> {
    await this.#with(connectionId, (peer) => peer.addCandidates(candidates, endOfCandidates));
  }

  /** @param hasMoved the device has another network */
  recover(hasMoved?: boolean): void {
    this.#main?.peer.recover(hasMoved);
  }

  /** The call's room carries both now: microphone and camera go on there. */
  leavePair(): void {
    this.dropNext();
    this.#main?.close();
    this.#main = null;
  }

  /** Back to before the answer, which did not succeed. */
  reset(): void {
    this.#quality.stop();
    this.#tracks.stop();
    this.leavePair();
  }

  close(): void {
    this.#isClosed = true;
    this.reset();
  }

  /** Microphone and relays take their time: both are asked at once. */
  async #open(choice: MediaChoice, options: { isPolite: boolean; id?: string | undefined }): Promise<Connection> {
    const [media, connection] = await Promise.allSettled([this.#link.openMedia(choice), this.#connect(options)]);
    if (media.status === "fulfilled") this.#keep(media.value);
    if (connection.status === "fulfilled") this.#main = connection.value;
    if (this.#isClosed) this.reset();
    if (media.status === "rejected") throw media.reason;
    if (connection.status === "rejected") throw connection.reason;
    return this.#unlessClosed(connection.value);
  }

  #unlessClosed(connection: Connection): Connection {
    if (this.#isClosed) throw new SwitchboardError("closed", "the call ended meanwhile");
    return connection;
  }

  async #openNext({ id, isPair, isPolite }: Pick<Next, "id" | "isPair"> & { isPolite: boolean }): Promise<Connection> {
    this.dropNext();
    const next = { id, isPair, opening: this.#connect({ isPolite, id }) };
    this.#next = next;
    const connection = await next.opening;
    if (this.#next !== next) throw new SwitchboardError("closed", "another connection took its place");
    return connection;
  }

  async #nextIsUp(of: Connection): Promise<void> {
    const next = this.#next;
    if (!next?.isPair || next.id !== of.id || of.path !== "connected") return;
    const isOpen = () => this.#next === next;
    await mediaReturns({ sample: () => of.peer.sample(), isOpen }, NEXT_FLOWS_MS);
    if (isOpen()) this.#events.pairUp(next.id);
  }

  #connect(options: { isPolite: boolean; id?: string | undefined }): Promise<Connection> {
    return Connection.open(this.#link, options, {
      candidates: (batch, id) => this.#events.candidates(batch, id),
      description: (description, id) => this.#events.description(description, id ?? (this.#next ? FIRST : undefined)),
      path: (of) => {
        if (of === this.#main && of.path) this.#events.path(of.path);
        else void this.#nextIsUp(of);
      },
      remoteChanged: () => this.#events.changed(),
      pictureRefused: (of) => {
        if (of === this.#main) void this.setCamera(false);
      },
    });
  }

  /** Of two the one that is meant; one that is not known is the first. What comes one after the other stays so. */
  async #with(id: string | undefined, act: (peer: Peer) => Promise<void>): Promise<void> {
    if (this.#next && this.#next.id === id) await act((await this.#next.opening).peer);
    else if (this.#main) await act(this.#main.peer);
  }

  async #answer(peer: Peer, offer: string | undefined, takesPicture = true): Promise<string | undefined> {
    if (offer !== undefined) await peer.acceptOffer(offer);
    await this.#send(peer);
    return offer === undefined ? undefined : peer.createAnswer(takesPicture);
  }

  #keep({ audio, video, withoutVideo }: LocalMedia): void {
    this.#tracks.set("audio", audio);
    this.#tracks.set("video", video);
    this.#withoutVideo = withoutVideo;
    this.#events.changed();
  }

  /** @param isChange something may be sent that is not to be any more */
  async #send(peer: Peer, isChange = false): Promise<void> {
    const { audio, video } = this.#tracks;
    if (this.#isOnHold) peer.play(false);
    if (this.#isOnHold && !isChange) return;
    const sound = peer.setTrack("audio", this.#isOnHold ? null : audio);
    const picture = video || isChange ? peer.setTrack("video", this.#isOnHold ? null : video) : undefined;
    // Both at once, so that one negotiation does.
    await Promise.all([sound, picture]);
  }

  async #replace(kind: MediaKind, track: MediaStreamTrack | null): Promise<void> {
    if (this.#isClosed) {
      track?.stop();
      return;
    }
    this.#tracks.set(kind, track);
    if (!this.#isOnHold) await this.#main?.peer.setTrack(kind, track);
    this.#events.changed();
  }
}
