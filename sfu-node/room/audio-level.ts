/** RFC 8285, section 4.2: the profile of extensions with one byte of header. */
const ONE_BYTE = 0xbede;
/** RFC 8285, section 4.3: those with two, of which the last four bits are the application's. */
const TWO_BYTE = 0x100;
/** RFC 8285, section 4.2: at this id the reading ends. */
const LAST = 15;

/**
 * The level of an RTP packet (RFC 6464, section 3: -dBov in seven bits) as a linear amplitude, 10^(-L/20).
 * @returns null if the packet has none
 */
export function audioLevel(packet: Buffer, id: number): number | null {
  const element = extension(packet, id);
  const first = element?.[0];
  if (first === undefined) return null;
  const level = first & 0x7f;
  return level === 127 ? 0 : 10 ** (-level / 20);
}

/** The element of a header extension (RFC 3550, section 5.3.1; RFC 8285, section 4); nothing is read beyond it. */
function extension(packet: Buffer, id: number): Buffer | null {
  const csrcs = (packet[0] ?? 0) & 0x0f;
  const hasExtension = ((packet[0] ?? 0) & 0x10) !== 0;
  const start = 12 + 4 * csrcs + 4;
  if (!hasExtension || packet.length < start) return null;
  const profile = packet.readUInt16BE(start - 4);
  const end = start + 4 * packet.readUInt16BE(start - 2);
  if (packet.length < end) return null;
  const elements = packet.subarray(start, end);
  if (profile === ONE_BYTE) return oneByteElement(elements, id);
  return profile >> 4 === TWO_BYTE ? twoByteElement(elements, id) : null;
}

function oneByteElement(elements: Buffer, id: number): Buffer | null {
  for (let at = 0; at < elements.length; ) {
    const header = elements[at] ?? 0;
    const end = at + 2 + (header & 0x0f);
    if (header >> 4 === id) return end <= elements.length ? elements.subarray(at + 1, end) : null;
    if (header >> 4 === LAST) return null;
    at = header === 0 ? at + 1 : end;
  }
  return null;
}

function twoByteElement(elements: Buffer, id: number): Buffer | null {
  for (let at = 0; at + 1 < elements.length; ) {
    const found = elements[at] ?? 0;
    const end = at + 2 + (elements[at + 1] ?? 0);
    if (found === id) return end <= elements.length ? elements.subarray(at + 2, end) : null;
    at = found === 0 ? at + 1 : end;
  }
  return null;
}
