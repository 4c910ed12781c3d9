import type { MediaTracks, Platform } from "../../client/platform.ts";

/** A track of no device: it can be turned off and stopped. */
export class FakeTrack extends EventTarget implements MediaStreamTrack {
  readonly kind: "audio" | "video";
  readonly id = crypto.randomUUID();
  readonly label = "fake";
  readonly muted = false;
  contentHint = "";
  enabled = true;
  readyState: MediaStreamTrackState = "live";
  onended: MediaStreamTrack["onended"] = null;
  onmute: MediaStreamTrack["onmute"] = null;
  onunmute: MediaStreamTrack["onunmute"] = null;

  constructor(kind: FakeTrack["kind"]) {
    super();
    this.kind = kind;
  }

  stop(): void {
    this.readyState = "ended";
  }

  clone(): FakeTrack {
    return new FakeTrack(this.kind);
  }

  async applyConstraints(): Promise<void> {}

  getCapabilities(): MediaTrackCapabilities {
    return {};
  }

  getConstraints(): MediaTrackConstraints {
    return {};
  }

  getSettings(): MediaTrackSettings {
    return {};
  }
}

function streamOf(tracks: FakeTrack[]): MediaTracks {
  const of = (kind: FakeTrack["kind"]) => tracks.filter((track) => track.kind === kind);
  return { getTracks: () => tracks, getAudioTracks: () => of("audio"), getVideoTracks: () => of("video") };
}

/** Where there is no browser: what the SDK asks of a `MediaStream`. */
export class FakeMediaStream {
  readonly #tracks: readonly FakeTrack[];

  constructor(tracks: readonly FakeTrack[] = []) {
    this.#tracks = tracks;
  }

  getTracks(): FakeTrack[] {
    return [...this.#tracks];
  }

  getAudioTracks(): FakeTrack[] {
    return this.#tracks.filter(({ kind }) => kind === "audio");
  }

  getVideoTracks(): FakeTrack[] {
    return this.#tracks.filter(({ kind }) => kind === "video");
  }
}

/** Microphone and camera as a test wants them; a refused one fails as a browser's would. */
export class FakeDevices {
  readonly opened: FakeTrack[] = [];
  readonly refused = new Map<FakeTrack["kind"], string>();

  readonly getUserMedia: Platform["getUserMedia"] = async ({ audio, video }): Promise<MediaTracks> => {
    const kinds = [...(audio ? ["audio" as const] : []), ...(video ? ["video" as const] : [])];
    for (const kind of kinds) {
      const name = this.refused.get(kind);
      if (name !== undefined) throw new DOMException("refused", name);
    }
    const tracks = kinds.map((kind) => new FakeTrack(kind));
    this.opened.push(...tracks);
    return streamOf(tracks);
  };

  readonly getDisplayMedia: Platform["getDisplayMedia"] = async () => {
    const screen = new FakeTrack("video");
    this.opened.push(screen);
    return streamOf([screen]);
  };
}
