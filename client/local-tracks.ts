import type { MediaKind } from "./peer.ts";

/** The tracks that this device sends, and the switch on its microphone. */
export class LocalTracks {
  #tracks: { readonly [kind in MediaKind]: MediaStreamTrack | null } = { audio: null, video: null };
  #isMuted = false;

  get audio(): MediaStreamTrack | null {
    return this.#tracks.audio;
  }

  get video(): MediaStreamTrack | null {
    return this.#tracks.video;
  }

  get isMuted(): boolean {
    return this.#isMuted;
  }

  /** The track before it is stopped, so that its device is free and its light goes out. */
  set(kind: MediaKind, track: MediaStreamTrack | null): void {
    const before = this.#tracks[kind];
    if (before !== track) before?.stop();
    this.#tracks = { ...this.#tracks, [kind]: track };
    if (kind === "audio" && track) track.enabled = !this.#isMuted;
  }

  /** A muted microphone sends silence: nothing has to be negotiated. */
  mute(isMuted: boolean): void {
    this.#isMuted = isMuted;
    if (this.#tracks.audio) this.#tracks.audio.enabled = !isMuted;
  }

  stop(): void {
    this.set("audio", null);
    this.set("video", null);
  }
}
