import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters } from "werift";
import type { Received, Stack } from "./stack-participant.ts";
import { SyntheticMedia } from "./stack-rtp.ts";

const CODECS = {
  audio: [new RTCRtpCodecParameters({ mimeType: "audio/opus", clockRate: 48_000, channels: 2 })],
  video: [
    new RTCRtpCodecParameters({
      mimeType: "video/VP8",
      clockRate: 90_000,
      rtcpFeedback: [{ type: "nack" }, { type: "nack", parameter: "pli" }, { type: "transport-cc" }],
    }),
  ],
};
const extension = (uri: string) => new RTCRtpHeaderExtensionParameters({ uri });
const EXTENSIONS = {
  audio: [extension("urn:ietf:params:rtp-hdrext:sdes:mid")],
  video: [
    extension("urn:ietf:params:rtp-hdrext:sdes:mid"),
    extension("http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"),
  ],
};

/** werift: WebRTC in TypeScript. It sends the RTP packets that it is given, and gives those that arrive. */
export class WeriftStack implements Stack {
  readonly #connection = new RTCPeerConnection({ codecs: CODECS, headerExtensions: EXTENSIONS, iceUseIpv6: false });
  readonly #media: SyntheticMedia;
  readonly #received = new Map<string, { packets: number; frames: number }>();

  constructor() {
    const outlet = (kind: "audio" | "video") => {
      const track = new MediaStreamTrack({ kind });
      this.#connection.addTransceiver(track, { direction: "sendonly" });
      // The sender puts its own numbers in.
      const send = (packet: Buffer) => track.writeRtp(packet);
      return () => (this.#connection.connectionState === "connected" ? { payloadType: 96, ssrc: 0, send } : null);
    };
    this.#media = new SyntheticMedia({ microphone: outlet("audio"), camera: outlet("video") });
    this.#connection.onRemoteTransceiverAdded.subscribe((transceiver) => {
      transceiver.onTrack.subscribe((track) => this.#receive(track, () => transceiver.mid ?? ""));
    });
  }

  async offer(): Promise<string> {
    await this.#connection.setLocalDescription(await this.#connection.createOffer());
    return this.#connection.localDescription?.sdp ?? "";
  }

  async takeAnswer(sdp: string): Promise<void> {
    await this.#connection.setRemoteDescription({ type: "answer", sdp });
  }

  async answer(sdp: string): Promise<string> {
    await this.#connection.setRemoteDescription({ type: "offer", sdp });
    await this.#connection.setLocalDescription(await this.#connection.createAnswer());
    return this.#connection.localDescription?.sdp ?? "";
  }

  async received(): Promise<ReadonlyMap<string, Received>> {
    return this.#received;
  }

  async close(): Promise<void> {
    this.#media.stop();
    await this.#connection.close();
  }

  #receive(track: MediaStreamTrack, midOf: () => string): void {
    track.onReceiveRtp.subscribe(({ header }) => {
      const counts = this.#received.get(midOf()) ?? { packets: 0, frames: 0 };
      this.#received.set(midOf(), counts);
      counts.packets += 1;
      if (track.kind === "video" && header.marker) counts.frames += 1;
    });
  }
}
