import type { IceCandidate } from "../schema/client-messages.ts";
import { PathRenewal } from "./path-renewal.ts";
import type { Description, MediaKind, Peer, PeerEvents, PeerOptions } from "./peer.ts";
import type { Platform } from "./platform.ts";
import type { QualitySample } from "./quality.ts";
import { Recovery } from "./recovery.ts";
import { admitRestart } from "./restarts.ts";
import { mediaReturns, sendWholePicture } from "./return-of-media.ts";
import { StallWatch } from "./stall-watch.ts";
import { qualitySample } from "./stats.ts";

/** A browser may not have heard yet of the network that a device has come to: then another restart finds it. */
const MOVES = 3;
/** One that the browser does not know of needs one, and one more where the first crossed with the other side's. */
const RENEWALS = 2;
/** The other side has restarted: by then a browser has given up the old path. */
const RETURN_MS = 8_000;

/** One `RTCPeerConnection` with perfect negotiation (W3C WebRTC, section 10.7). */
export class RtcPeer implements Peer {
  readonly remoteStream = new MediaStream();
  /** Sound and picture name the same stream, so that the receiver keeps them in step. */
  readonly #localStream = new MediaStream();
  readonly #pc: RTCPeerConnection;
  readonly #events: PeerEvents;
  readonly #isPolite: boolean;
  readonly #recovery: Recovery;
  readonly #renewal: PathRenewal;
  readonly #stalls: StallWatch;
  readonly #now: () => number;
  readonly #prepareRestart: PeerOptions["prepareRestart"];
  /** What the next restart needs, while it is asked for. */
  #preparation: Promise<RTCConfiguration | null> | null = null;
  #isRestarting = false;
  #restarts: readonly number[] = [];
  #isEstablished = false;
  #isPlaying = true;
  #isMakingOffer = false;
  #ignoresOffer = false;
  /** Negotiation became needed before the call was answered. */
  #isDue = false;
  /** Candidates that came before the description they belong to. */
  #early: IceCandidate[] = [];
  /** Descriptions are applied one after the other. */
  #queue: Promise<void> = Promise.resolve();

  constructor(platform: Pick<Platform, "RTCPeerConnection" | "now">, options: PeerOptions) {
    const { configuration, isPolite, events, prepareRestart } = options;
    this.#pc = new platform.RTCPeerConnection(configuration);
    this.#now = platform.now;
    this.#events = events;
    this.#isPolite = isPolite;
    this.#prepareRestart = prepareRestart;
    this.#recovery = new Recovery(isPolite, {
      restart: () => void this.#restart(),
      gaveUp: () => events.path("failed"),
    });
    this.#renewal = new PathRenewal({
      restart: () => this.#restart(),
      isConnected: () => this.#isConnected,
      expectsMedia: () => this.#expectsMedia,
      mediaReturns: (withinMs) => this.#mediaReturns(withinMs),
      recovering: () => events.path("recovering"),
      over: () => this.#pathChanged(),
    });
    this.#stalls = new StallWatch({
      isPolite,
      sample: () => this.sample(),
      isExpected: () => this.#isConnected && this.#isPlaying && this.#expectsMedia,
      doubted: () => void this.#prepare(),
      stalled: () => void this.#renewal.renew(RENEWALS),
      flows: () => {
        this.#preparation = null;
      },
    });
    this.#pc.onicecandidate = ({ candidate }) => events.candidate(candidate && wire(candidate));
    this.#pc.onnegotiationneeded = () => void this.#negotiate();
    this.#pc.onconnectionstatechange = () => this.#pathChanged();
    this.#pc.ontrack = ({ track }) => this.#addRemote(track);
  }

  async setTrack(kind: MediaKind, track: MediaStreamTrack | null): Promise<void> {
    const transceiver = this.#transceiver(kind);
    if (!transceiver) {
      if (track) this.#pc.addTransceiver(track, { streams: [this.#localStream] });
      return;
    }
    await transceiver.sender.replaceTrack(track);
    transceiver.sender.setStreams(this.#localStream);
    // The direction is how the other side learns that a camera was turned off.
    const direction = track ? "sendrecv" : "recvonly";
    if (transceiver.direction !== direction) transceiver.direction = direction;
  }

  async createOffer(): Promise<string> {
    await this.#pc.setLocalDescription();
    return this.#localSdp();
  }

  async acceptOffer(sdp: string): Promise<void> {
    await this.#pc.setRemoteDescription({ type: "offer", sdp });
    await this.#addEarly();
  }

  async createAnswer(takesPicture: boolean): Promise<string> {
    const picture = this.#transceiver("video");
    if (picture && !takesPicture) picture.direction = "inactive";
    await this.#pc.setLocalDescription();
    return this.#localSdp();
  }

  async established(answer?: string): Promise<void> {
    if (this.#isEstablished) return;
    this.#isEstablished = true;
    if (answer !== undefined) await this.#answered(answer);
    // An offer that came with no answer is made again where the other side can answer it.
    else if (this.#pc.signalingState === "have-local-offer") this.#tell();
    if (this.#isDue) await this.#negotiate();
  }

  play(isOn: boolean): void {
    this.#isPlaying = isOn;
    for (const track of this.remoteStream.getTracks()) track.enabled = isOn;
  }

  describe(description: Description): Promise<void> {
    this.#queue = this.#queue.then(() => this.#describe(description)).catch(() => this.#renew());
    return this.#queue;
  }

  async addCandidates(candidates: readonly IceCandidate[], endOfCandidates: boolean): Promise<void> {
    await this.#queue;
    if (!this.#pc.remoteDescription) {
      this.#early.push(...candidates);
      return;
    }
    for (const candidate of candidates) await this.#addCandidate(candidate);
    if (endOfCandidates) await this.#addCandidate(undefined);
  }

  recover(hasMoved = false): void {
    if (!this.#isEstablished) return;
    if (hasMoved) void this.#renewal.renew(MOVES);
    else if (this.#pc.connectionState !== "connected") void this.#restart();
  }

  async sample(): Promise<QualitySample> {
    return qualitySample(await this.#pc.getStats());
  }

  stats(): Promise<RTCStatsReport> {
    return this.#pc.getStats();
  }

  close(): void {
    this.#recovery.stop();
    this.#stalls.stop();
    this.#pc.onicecandidate = null;
    this.#pc.onnegotiationneeded = null;
    this.#pc.onconnectionstatechange = null;
    this.#pc.close();
  }

  async #answered(sdp: string): Promise<void> {
    await this.describe({ sdpType: "answer", sdp });
    if (this.#transceiver("video")?.currentDirection === "inactive") this.#events.pictureRefused();
  }

  async #negotiate(): Promise<void> {
    this.#isDue = !this.#isEstablished;
    if (!this.#isEstablished || this.#pc.signalingState !== "stable") return;
    try {
      this.#isMakingOffer = true;
      await this.#pc.setLocalDescription();
      this.#tell();
    } catch {
      // The connection was closed meanwhile, or an offer came first: then this one is made again.
    } finally {
      this.#isMakingOffer = false;
    }
  }

  async #describe({ sdpType, sdp }: Description): Promise<void> {
    const { signalingState } = this.#pc;
    if (sdpType === "answer" && signalingState !== "have-local-offer") return;
    const collides = sdpType === "offer" && (this.#isMakingOffer || signalingState !== "stable");
    this.#ignoresOffer = collides && !this.#isPolite;
    if (this.#ignoresOffer) {
      // Where the other side does not answer this one, it was lost on the way.
      this.#tellAgain();
      return;
    }
    const isRestart = sdpType === "offer" && ufrag(sdp) !== ufrag(this.#pc.remoteDescription?.sdp);
    await this.#pc.setRemoteDescription({ type: sdpType, sdp });
    await this.#addEarly();
    if (sdpType === "answer") return;
    if (isRestart) this.#renewed();
    this.#takePicture();
    await this.#pc.setLocalDescription();
    this.#tell();
  }

  /** The other side has begun: what it needs is not disturbed. */
  #renewed(): void {
    this.#stalls.wait();
    void this.#mediaReturns(RETURN_MS);
  }

  /** A picture that was refused with the first answer is welcome when it is offered later. */
  #takePicture(): void {
    const picture = this.#transceiver("video");
    if (picture?.direction === "inactive") picture.direction = "recvonly";
  }

  #tell(): void {
    const description = this.#pc.localDescription;
    if (description?.type === "offer" || description?.type === "answer") {
      this.#events.description({ sdpType: description.type, sdp: description.sdp });
    }
  }

  /** A description that does not fit leaves the old path in place; a new offer sorts it out. */
  #renew(): void {
    if (this.#pc.signalingState === "stable") void this.#restart();
  }

  /** Told what waits for an answer. */
  #tellAgain(): void {
    if (this.#isEstablished && this.#pc.signalingState === "have-local-offer") this.#tell();
  }

  /** Once, also where it is begun before it is sure to be needed. */
  #prepare(): Promise<RTCConfiguration | null> {
    this.#preparation ??= this.#prepareRestart().catch(() => null);
    return this.#preparation;
  }

  async #restart(): Promise<void> {
    if (this.#isRestarting) return;
    this.#isRestarting = true;
    const configuration = await this.#prepare();
    this.#preparation = null;
    this.#isRestarting = false;
    const restarts = admitRestart(this.#restarts, this.#now());
    if (!restarts || this.#pc.signalingState === "closed") return;
    this.#restarts = restarts;
    if (configuration) this.#pc.setConfiguration(configuration);
    this.#pc.restartIce();
    this.#tellAgain();
  }

  /** On a path that was renewed; this side's picture then begins anew as well. */
  async #mediaReturns(withinMs: number): Promise<boolean> {
    const watched = { sample: () => this.sample(), isOpen: () => this.#isConnected };
    if (!(await mediaReturns(watched, withinMs))) return false;
    const picture = this.#transceiver("video")?.sender;
    if (picture?.track) await sendWholePicture(picture);
    return true;
  }

  get #isConnected(): boolean {
    return this.#pc.connectionState === "connected";
  }

  /** On hold nothing comes, and nothing shows that the path works. */
  get #expectsMedia(): boolean {
    return this.remoteStream.getTracks().some((track) => !track.muted && track.readyState === "live");
  }

  async #addEarly(): Promise<void> {
    const early = this.#early;
    this.#early = [];
    for (const candidate of early) await this.#addCandidate(candidate);
  }

  async #addCandidate(candidate: IceCandidate | undefined): Promise<void> {
    if (this.#ignoresOffer) return;
    try {
      await this.#pc.addIceCandidate(candidate ? init(candidate) : undefined);
    } catch {
      // Of an older generation, or of a transport that is not there: ICE works with the others.
    }
  }

  #pathChanged(): void {
    const state = this.#pc.connectionState;
    this.#recovery.changed(state);
    if (state === "connected") this.#stalls.start();
    if (state === "connected") this.#events.path("connected");
    else if (state === "disconnected" || state === "failed") this.#events.path("recovering");
  }

  #addRemote(track: MediaStreamTrack): void {
    if (!this.remoteStream.getTracks().includes(track)) this.remoteStream.addTrack(track);
    track.enabled = this.#isPlaying;
    const changed = () => this.#events.remoteChanged();
    track.onmute = changed;
    track.onunmute = changed;
    track.onended = changed;
    changed();
  }

  /** The first m-line of a kind is the one both sides use; a call has at most one of each. */
  #transceiver(kind: MediaKind): RTCRtpTransceiver | undefined {
    return this.#pc.getTransceivers().find((transceiver) => transceiver.receiver.track.kind === kind);
  }

  #localSdp(): string {
    return this.#pc.localDescription?.sdp ?? "";
  }
}

/** Another one is an ICE restart (RFC 8445, section 9). */
function ufrag(sdp: string | undefined): string | undefined {
  return /^a=ice-ufrag:(.+)$/m.exec(sdp ?? "")?.[1];
}

function wire({ candidate, sdpMid, sdpMLineIndex, usernameFragment }: RTCIceCandidate): IceCandidate {
  return { candidate, sdpMid, sdpMLineIndex, usernameFragment };
}

function init({ candidate, sdpMid, sdpMLineIndex, usernameFragment }: IceCandidate): RTCIceCandidateInit {
  return {
    candidate,
    sdpMid: sdpMid ?? null,
    sdpMLineIndex: sdpMLineIndex ?? null,
    ...(usernameFragment != null && { usernameFragment }),
  };
}
