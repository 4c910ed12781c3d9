import type { Description, MediaKind, Peer, PeerOptions } from "../../client/peer.ts";
import type { QualitySample } from "../../client/quality.ts";
import type { IceCandidate } from "../../schema/client-messages.ts";

/** A media connection without media: it remembers what it was told, and a test says what it reports. */
export class FakePeer implements Peer {
  readonly options: PeerOptions;
  readonly told: string[] = [];
  isClosed = false;
  /** Its statistics (W3C webrtc-stats). */
  reports: readonly Record<string, unknown>[] = [];
  #wake: () => void = () => {};

  constructor(options: PeerOptions) {
    this.options = options;
  }

  /** For tests that have a `FakeMediaStream` in its place. */
  get remoteStream(): MediaStream {
    return new MediaStream();
  }

  async setTrack(kind: MediaKind, track: MediaStreamTrack | null): Promise<void> {
    this.#tell(`${kind} ${track ? "on" : "off"}`);
  }

  async createOffer(): Promise<string> {
    return "the offer";
  }

  async acceptOffer(sdp: string): Promise<void> {
    this.#tell(`offer: ${sdp}`);
  }

  async createAnswer(takesPicture: boolean): Promise<string> {
    if (!takesPicture) this.#tell("no picture");
    return "the answer";
  }

  async established(answer?: string): Promise<void> {
    this.#tell(`established: ${answer ?? "nothing"}`);
  }

  play(isOn: boolean): void {
    this.#tell(isOn ? "playing" : "silent");
  }

  async describe({ sdpType, sdp }: Description): Promise<void> {
    this.#tell(`${sdpType}: ${sdp}`);
  }

  async addCandidates(candidates: readonly IceCandidate[], endOfCandidates: boolean): Promise<void> {
    this.#tell(`candidates: ${candidates.map(({ candidate }) => candidate).join()}${endOfCandidates ? " (all)" : ""}`);
  }

  recover(hasMoved = false): void {
    this.#tell(hasMoved ? "recover, moved" : "recover");
  }

  async sample(): Promise<QualitySample> {
    return { received: 100, lost: 0, peerLoss: 0, rttMs: 20 };
  }

  async stats(): Promise<RTCStatsReport> {
    return new Map(this.reports.map((report, index) => [String(index), report]));
  }

  close(): void {
    this.isClosed = true;
    this.#tell("closed");
  }

  /** Resolves once the call has told this connection so. */
  async heard(what: string): Promise<void> {
    while (!this.told.includes(what)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #tell(what: string): void {
    this.told.push(what);
    this.#wake();
  }
}
