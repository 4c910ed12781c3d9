import { createDecipheriv, createECDH, hkdfSync } from "node:crypto";

/** What a browser keeps of a subscription. */
export interface Receiver {
  /** P-256, 32 bytes. */
  readonly privateKey: Buffer;
  /** The uncompressed point. */
  readonly publicKey: Buffer;
  readonly auth: Buffer;
}

const SALT = 16;
const TAG = 16;

/**
 * A push message as a browser reads it: aes128gcm of one record (RFC 8188) with keys by RFC 8291, section 3. Written
 * from the RFCs with node's own primitives, so that it shares nothing with what encrypts.
 */
export function decryptPush(body: Buffer, { privateKey, publicKey, auth }: Receiver): string {
  const salt = body.subarray(0, SALT);
  const recordSize = body.readUInt32BE(SALT);
  const idLength = body.readUInt8(SALT + 4);
  const senderKey = body.subarray(SALT + 5, SALT + 5 + idLength);
  const record = body.subarray(SALT + 5 + idLength);
  if (record.length > recordSize) throw new Error("more than one record");
  const curve = createECDH("prime256v1");
  curve.setPrivateKey(privateKey);
  const keyInfo = Buffer.concat([Buffer.from("WebPush: info\0"), publicKey, senderKey]);
  const ikm = expand(auth, curve.computeSecret(senderKey), keyInfo, 32);
  const key = expand(salt, ikm, Buffer.from("Content-Encoding: aes128gcm\0"), 16);
  const nonce = expand(salt, ikm, Buffer.from("Content-Encoding: nonce\0"), 12);
  const decipher = createDecipheriv("aes-128-gcm", key, nonce).setAuthTag(record.subarray(-TAG));
  const padded = Buffer.concat([decipher.update(record.subarray(0, -TAG)), decipher.final()]);
  const end = padded.lastIndexOf(2);
  if (end < 0 || padded.subarray(end + 1).some((byte) => byte !== 0)) throw new Error("no delimiter of a last record");
  return padded.subarray(0, end).toString();
}

function expand(salt: Buffer, ikm: Buffer, info: Buffer, length: number): Buffer {
  return Buffer.from(hkdfSync("sha256", ikm, salt, info, length));
}
