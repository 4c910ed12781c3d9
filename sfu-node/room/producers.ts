import type { types } from "mediasoup";
import type { RtpParameters } from "mediasoup-client/types";
import type { TrackSource } from "../../schema/room.ts";
import { RoomRefusal } from "./refusal.ts";
import type { Upload } from "./upload.ts";

export interface Sent {
  readonly source: TrackSource;
  readonly upload: Upload;
}

interface Made {
  readonly producer: types.Producer;
  /** What it was made of. */
  readonly upload: Upload;
}

/** What one participant sends: a producer for each source. */
export class Producers {
  readonly #transport: types.WebRtcTransport;
  #made = new Map<TrackSource, Made>();
  #muted: ReadonlySet<TrackSource> = new Set();

  constructor(transport: types.WebRtcTransport) {
    this.#transport = transport;
  }

  get bySource(): ReadonlyMap<TrackSource, types.Producer> {
    return new Map([...this.#made].map(([source, { producer }]) => [source, producer]));
  }

  async setMuted(muted: ReadonlySet<TrackSource>): Promise<void> {
    this.#muted = muted;
    await Promise.all([...this.#made].map(([source, { producer }]) => this.#mute(source, producer)));
  }

  /**
   * Makes these all that is sent; what is as it was goes on.
   * @throws RoomRefusal, and what was sent before is, if by other producers
   */
  async replace(sent: readonly Sent[]): Promise<void> {
    const before = [...this.#made].map(([source, { upload }]) => ({ source, upload }));
    try {
      await this.#replace(sent);
    } catch (error) {
      await this.#replace(before);
      throw error;
    }
  }

  async #replace(sent: readonly Sent[]): Promise<void> {
    const kept = new Map<TrackSource, Made>();
    const fresh: Sent[] = [];
    for (const { source, upload } of sent) {
      const made = this.#made.get(source);
      if (made && !made.producer.closed && isSame(made.upload, upload)) kept.set(source, made);
      else fresh.push({ source, upload });
    }
    // First the old ones: mediasoup refuses a second producer with the SSRCs or the MID of the first.
    const gone = [...this.#made].filter(([source]) => !kept.has(source));
    for (const [, { producer }] of gone) producer.close();
    this.#made = kept;
    for (const one of fresh) kept.set(one.source, await this.#make(one));
  }

  async #make({ source, upload }: Sent): Promise<Made> {
    try {
      const kind = upload.media.type === "audio" ? "audio" : "video";
      const { rtpParameters } = upload;
      const producer = await this.#transport.produce({ kind, rtpParameters, paused: this.#muted.has(source) });
      return { producer, upload };
    } catch {
      throw new RoomRefusal(
        "bad_message",
        `sdp: the m-section of the ${source} describes nothing that can be received`,
      );
    }
  }

  async #mute(source: TrackSource, producer: types.Producer): Promise<void> {
    const isMuted = this.#muted.has(source);
    if (producer.closed || producer.paused === isMuted) return;
    await (isMuted ? producer.pause() : producer.resume());
  }
}

/**
 * Whether what was made of one description receives what another describes. It has to, where it can: after the first
 * packets a stack leaves out the RID (RFC 8852, section 3.3), and a new producer would not know the layers any more.
 * What a client says of feedback, RTX and other extensions changes from its offers to its answers, and little with it.
 */
function isSame({ rtpParameters: made }: Upload, { rtpParameters: next }: Upload): boolean {
  return describe(made) === describe(next) && !isContrary(made.headerExtensions, next.headerExtensions);
}

function describe({ mid, codecs: [codec], encodings }: RtpParameters): string {
  const streams = encodings?.map(({ ssrc, rid }) => [ssrc, rid]);
  return JSON.stringify([mid, codec?.mimeType, codec?.payloadType, streams]);
}

type Extensions = RtpParameters["headerExtensions"];

/** An id has another meaning, or a meaning another id. */
function isContrary(made: Extensions = [], next: Extensions = []): boolean {
  return made.some((one) => next.some((other) => (one.id === other.id) !== (one.uri === other.uri)));
}
