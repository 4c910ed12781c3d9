import type { types } from "mediasoup";

/**
 * What a room's media may be encoded with. A sender's own order of preference decides which of them it sends; whoever
 * cannot decode it is not sent it. Payload types are mediasoup's choice, from 100 up: what stacks other than browsers
 * offer begins at 96, so theirs seldom have to be changed.
 */
export const MEDIA_CODECS: types.RouterRtpCodecCapability[] = [
  {
    kind: "audio",
    mimeType: "audio/opus",
    clockRate: 48_000,
    channels: 2,
    // RFC 7587, section 6.1: loss is concealed in band, and who is silent sends next to nothing.
    parameters: { useinbandfec: 1, usedtx: 1, minptime: 10 },
  },
  { kind: "video", mimeType: "video/VP8", clockRate: 90_000 },
  // RFC 6184, section 8.1: constrained baseline for everybody, high for who has hardware for it.
  h264("42e01f"),
  h264("640c1f"),
  { kind: "video", mimeType: "video/VP9", clockRate: 90_000, parameters: { "profile-id": 0 } },
  { kind: "video", mimeType: "video/AV1", clockRate: 90_000 },
];

function h264(profileLevelId: string): types.RouterRtpCodecCapability {
  const parameters = { "packetization-mode": 1, "level-asymmetry-allowed": 1, "profile-level-id": profileLevelId };
  return { kind: "video", mimeType: "video/H264", clockRate: 90_000, parameters };
}
