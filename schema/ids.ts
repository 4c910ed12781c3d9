import * as z from "zod";

/** Any RFC 9562 UUID, in lower case so that equal ids are equal strings. */
export const Uuid = z.uuid().toLowerCase();

export const UserId = Uuid;
export const DeviceId = Uuid;
/** UUIDv7 when the server makes it, so that the lower id is the earlier call. */
export const CallId = Uuid;

/** One device of one user: who acts, and who is spoken to. */
export const DeviceRef = z.object({ userId: UserId, deviceId: DeviceId });
export type DeviceRef = z.infer<typeof DeviceRef>;

/** ISO 8601, UTC. */
export const Timestamp = z.iso.datetime();

/**
 * UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix time in ms, then random bits.
 * @param now Unix time in ms
 * @param random at least 10 random bytes
 */
export function uuidv7(now: number, random: Uint8Array): string {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(now / 2 ** (8 * (5 - i))) % 256;
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
