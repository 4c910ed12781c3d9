import type { RtpCapabilities } from "mediasoup-client/types";
import type { MediaDescription } from "sdp-transform";
import type { TrackSource } from "../../schema/room.ts";
import type { Section } from "./description.ts";
import type { Line } from "./lines.ts";
import { isAtPeace, type Numbers } from "./numbers.ts";
import { asInactive, type Upload, uploadOf } from "./upload.ts";
import { refused } from "./write.ts";

/** What becomes of a line, and of the SFU's side of it where that changes. Pure. */
export interface Settled {
  readonly line: Line;
  readonly media?: MediaDescription;
  readonly sent?: { readonly source: TrackSource; readonly upload: Upload };
}

/** What a room takes, and with which numbers. */
export interface Terms {
  readonly capabilities: RtpCapabilities;
  readonly numbers: Numbers;
}

/** A line that the client has offered. */
export function settleOffered(line: Line, section: Section, { capabilities, numbers }: Terms): Settled {
  const { kind, use } = line;
  if (use.type === "download" || use.type === "probator") return { line };
  if (kind === null || use.type === "refused") return { line, media: refused(section.media) };
  const upload = uploadOf(section, kind, capabilities);
  if (!upload) return { line: { ...line, use: { type: "idle" } }, media: asInactive(section.media) };
  if (use.type === "idle") return { line, media: asInactive(upload.media) };
  if (!isAtPeace(upload.rtpParameters, numbers)) {
    return { line: { ...line, use: { ...use, isRenumbering: true } }, media: asInactive(upload.media) };
  }
  const live: Line = { ...line, use: { ...use, isRenumbering: false } };
  return { line: live, media: upload.media, sent: { source: use.source, upload } };
}

/** A line that the client has answered; one that it will not use is idle. */
export function settleAnswered(line: Line, section: Section, { capabilities, numbers }: Terms): Settled {
  const { kind, use } = line;
  if (kind === null) return { line };
  switch (use.type) {
    case "refused":
    case "idle":
    case "probator":
      return { line };
    case "download":
      return isReceiving(section) ? { line } : { line: { ...line, use: { type: "idle" } } };
    case "upload": {
      const upload = isSending(section) ? uploadOf(section, kind, capabilities) : null;
      if (!upload || !isAtPeace(upload.rtpParameters, numbers)) return { line: { ...line, use: { type: "idle" } } };
      const live: Line = { ...line, use: { ...use, isRenumbering: false } };
      return { line: live, sent: { source: use.source, upload } };
    }
  }
}

export function isSending({ direction }: Section): boolean {
  return direction === "sendrecv" || direction === "sendonly";
}

function isReceiving({ direction }: Section): boolean {
  return direction === "sendrecv" || direction === "recvonly";
}
