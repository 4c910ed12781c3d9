import type { RtpCapabilities } from "mediasoup-client/types";
import type { MediaDescription } from "sdp-transform";
import type { TrackSource } from "../../schema/room.ts";
import type { Section } from "./description.ts";
import { probatorMedia } from "./download.ts";
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
  if (use.type === "download") return isReceiving(section) ? { line } : { line: { ...line, use: { type: "idle" } } };
  if (use.type === "probator")
    return { line, media: isReceiving(section) ? probatorMedia() : asInactive(probatorMedia()) };
  const upload = kind === null || use.type === "refused" ? null : uploadOf(section, kind, capabilities);
  if (!upload || use.type === "refused") return asRefused(line, section);
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
  if (kind === null || section.isRejected) return asRefused(line, section);
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

/** RFC 3264, section 6: a port of 0, for what is not to be had, and for what the client has done with. */
function asRefused(line: Line, { media }: Section): Settled {
  return { line: { ...line, use: { type: "refused" } }, media: refused(media) };
}

export function isSending({ direction }: Section): boolean {
  return direction === "sendrecv" || direction === "sendonly";
}

function isReceiving({ direction }: Section): boolean {
  return direction === "sendrecv" || direction === "recvonly";
}
