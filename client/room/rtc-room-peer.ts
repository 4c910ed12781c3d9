import { KIND_OF, type SentTrack, type TrackSource } from "../../schema/room.ts";
import type { Platform } from "../platform.ts";
import type { QualitySample } from "../quality.ts";
import { qualitySample } from "../stats.ts";
import type { RoomOffer, RoomPath, RoomPeer, RoomPeerEvents, RoomPeerOptions } from "./room-peer.ts";
import { activeLayers, CAMERA_LAYERS, SOURCES, type Sources } from "./sending.ts";
import type { VideoSource } from "./wants.ts";

/** The m-line of the SFU's probes. */
const PROBATOR = "probator";

/** One `RTCPeerConnection` to an SFU. Its candidates stay here: the SFU learns them from the checks (ICE-lite). */
export class RtcRoomPeer implements RoomPeer {
  readonly #pc: RTCPeerConnection;
  readonly #events: RoomPeerEvents;
  /** All that is sent names one stream, so that receivers keep it in step. */
  readonly #localStream = new MediaStream();
  readonly #sent = new Map<TrackSource, RTCRtpTransceiver>();
  readonly #followed = new WeakSet<MediaStreamTrack>();

  constructor(platform: Pick<Platform, "RTCPeerConnection">, { configuration, events }: RoomPeerOptions) {
    this.#pc = new platform.RTCPeerConnection({ ...configuration, bundlePolicy: "max-bundle" });
    this.#events = events;
    this.#pc.onnegotiationneeded = () => events.negotiationNeeded();
    this.#pc.onconnectionstatechange = () => this.#pathChanged();
    this.#pc.ontrack = ({ track }) => this.#follow(track);
  }

  async publish(tracks: Sources<MediaStreamTrack | null>): Promise<void> {
    await Promise.all(SOURCES.map((source) => this.#send(source, tracks[source])));
  }

  async offer(): Promise<RoomOffer> {
    this.#requireLines();
    await this.#pc.setLocalDescription();
    const tracks = [...this.#sent].flatMap(([source, { mid }]): SentTrack[] => (mid === null ? [] : [{ mid, source }]));
    return { sdp: this.#localSdp(), tracks };
  }

  async takeAnswer(sdp: string): Promise<void> {
    await this.#pc.setRemoteDescription({ type: "answer", sdp });
  }

  async answer(sdp: string): Promise<string> {
    await this.#pc.setRemoteDescription({ type: "offer", sdp });
    await this.#pc.setLocalDescription();
    return this.#localSdp();
  }

  async limit(source: VideoSource, height: number | null): Promise<void> {
    const sender = this.#sent.get(source)?.sender;
    const parameters = sender?.getParameters();
    if (!sender || !parameters?.encodings) return;
    const active = activeLayers(height, parameters.encodings.length);
    if (parameters.encodings.every((encoding, layer) => (encoding.active ?? true) === active[layer])) return;
    for (const [layer, encoding] of parameters.encodings.entries()) encoding.active = active[layer] ?? true;
    await sender.setParameters(parameters);
  }

  track(mid: string): MediaStreamTrack | null {
    return this.#pc.getTransceivers().find((transceiver) => transceiver.mid === mid)?.receiver.track ?? null;
  }

  async sample(): Promise<QualitySample> {
    const stats = await this.#pc.getStats();
    // The SFU's probes are there to be lost: they tell how much more there is room for.
    return qualitySample({
      forEach(visit) {
        for (const [, report] of stats) if (report.mid !== PROBATOR) visit(report);
      },
    });
  }

  stats(): Promise<RTCStatsReport> {
    return this.#pc.getStats();
  }

  close(): void {
    this.#pc.onnegotiationneeded = null;
    this.#pc.onconnectionstatechange = null;
    this.#pc.ontrack = null;
    this.#pc.close();
  }

  async #send(source: TrackSource, track: MediaStreamTrack | null): Promise<void> {
    const transceiver = this.#sent.get(source);
    if (transceiver) {
      await transceiver.sender.replaceTrack(track);
      if (!track && isShared(source)) this.#release(source, transceiver);
    } else if (track) await this.#add(source, track);
  }

  /** Who joins on hold sends nothing, and an offer without m-lines has nothing to connect by. */
  #requireLines(): void {
    if (this.#pc.getTransceivers().length > 0) return;
    for (const kind of ["audio", "video"]) this.#pc.addTransceiver(kind, { direction: "recvonly" });
  }

  /** Camera and microphone keep their m-line: they are muted and come back often. A screen is taken away for good. */
  #release(source: TrackSource, transceiver: RTCRtpTransceiver): void {
    this.#sent.delete(source);
    // Not "inactive": the SFU may use the m-line for somebody else's track, and this side is then to receive it.
    transceiver.direction = "recvonly";
  }

  async #add(source: TrackSource, track: MediaStreamTrack): Promise<void> {
    const streams = [this.#localStream];
    const free = isShared(source) ? this.#free(source) : undefined;
    if (free) {
      this.#sent.set(source, free);
      free.sender.setStreams(...streams);
      free.direction = "sendonly";
      await free.sender.replaceTrack(track);
    } else {
      const sendEncodings = source === "camera" ? CAMERA_LAYERS.map((layer) => ({ ...layer })) : undefined;
      const init: RTCRtpTransceiverInit = { direction: "sendonly", streams, ...(sendEncodings && { sendEncodings }) };
      this.#sent.set(source, this.#pc.addTransceiver(track, init));
    }
  }

  /** An m-line that nobody uses, so that a call in which screens come and go does not grow with each of them. */
  #free(source: TrackSource): RTCRtpTransceiver | undefined {
    const taken = new Set(this.#sent.values());
    return this.#pc.getTransceivers().find((transceiver) => {
      const { currentDirection, receiver } = transceiver;
      return currentDirection === "inactive" && receiver.track.kind === KIND_OF[source] && !taken.has(transceiver);
    });
  }

  #follow(track: MediaStreamTrack): void {
    if (!this.#followed.has(track)) {
      this.#followed.add(track);
      for (const type of ["mute", "unmute", "ended"]) track.addEventListener(type, () => this.#events.remoteChanged());
    }
    this.#events.remoteChanged();
  }

  #pathChanged(): void {
    const path = pathOf(this.#pc.connectionState);
    if (path) this.#events.path(path);
  }

  #localSdp(): string {
    return this.#pc.localDescription?.sdp ?? "";
  }
}

function isShared(source: TrackSource): boolean {
  return source === "screen" || source === "screen_audio";
}

function pathOf(state: RTCPeerConnectionState): RoomPath | null {
  switch (state) {
    case "connected":
      return "up";
    case "disconnected":
      return "interrupted";
    case "failed":
    case "closed":
      return "gone";
    case "new":
    case "connecting":
      return null;
  }
}
