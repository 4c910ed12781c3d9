/** As much of a `MediaStream` as is read. */
export type MediaTracks = Pick<MediaStream, "getTracks" | "getAudioTracks" | "getVideoTracks">;

/** What the SDK takes from its surroundings; replaced where there is no browser. */
export interface Platform {
  readonly WebSocket: new (url: string, protocols: string[]) => WebSocket;
  readonly RTCPeerConnection: new (configuration: RTCConfiguration) => RTCPeerConnection;
  readonly fetch: typeof fetch;
  readonly getUserMedia: (constraints: MediaStreamConstraints) => Promise<MediaTracks>;
  readonly getDisplayMedia: (options: DisplayMediaStreamOptions) => Promise<MediaTracks>;
  /** In [0, 1). */
  readonly random: () => number;
  /** Unix time in ms. */
  readonly now: () => number;
  /** The device has come to another network, or back to one. @returns what stops it */
  readonly onNetworkChange: (listener: () => void) => () => void;
}

export function browserPlatform(): Platform {
  return {
    WebSocket: globalThis.WebSocket,
    RTCPeerConnection: globalThis.RTCPeerConnection,
    fetch: (input, init) => globalThis.fetch(input, init),
    getUserMedia: (constraints) => navigator.mediaDevices.getUserMedia(constraints),
    getDisplayMedia: (options) => navigator.mediaDevices.getDisplayMedia(options),
    random: Math.random,
    now: Date.now,
    onNetworkChange,
  };
}

/** Browsers tell nothing of a network that takes over from another without a gap: there the lost media does. */
function onNetworkChange(listener: () => void): () => void {
  if (typeof globalThis.addEventListener !== "function") return () => {};
  globalThis.addEventListener("online", listener);
  return () => globalThis.removeEventListener("online", listener);
}
