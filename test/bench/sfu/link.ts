import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import {
  CipherContext,
  classes,
  DtlsClient,
  HashAlgorithm,
  keyLength,
  Message,
  methods,
  NamedCurveAlgorithm,
  RTCCertificate,
  type RtpHeader,
  RtpPacket,
  SignatureAlgorithm,
  SrtpSession,
  saltLength,
} from "werift";

/** werift looks every 100 ms, then every 200, whether a message of the handshake is there; browsers do at once. */
class PromptDtlsClient extends DtlsClient {
  protected override waitForReady = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await delay(1);
  };
}

/** Where an SFU is, as its description says. */
export interface Remote {
  readonly ip: string;
  readonly port: number;
  readonly usernameFragment: string;
  readonly password: string;
}

/** RFC 7714, section 14.2: what Chromium and mediasoup agree on, and the cheapest for both. */
const AEAD_AES_128_GCM = 7;
/** As Chromium does; RFC 7675, section 5.1 asks for consent at least every 5 s. */
const CONSENT_MS = 2_500;
/** Until the first answer comes. */
const CHECK_MS = 20;
/** Of a socket: datagrams that wait while this process is at something else are not lost. */
const BUFFER = 4 * 1024 * 1024;

/** One for all: making a certificate takes longer than a connection. */
const certificate = CipherContext.createSelfSignedCertificateWithKey(
  { signature: SignatureAlgorithm.ecdsa_3, hash: HashAlgorithm.sha256_4 },
  NamedCurveAlgorithm.secp256r1_23,
).then(({ keyPem, certPem, signatureHash }) => new RTCCertificate(keyPem, certPem, signatureHash));

/**
 * A client's transport to an SFU that is ICE lite: one UDP socket, ICE checks (RFC 8445), DTLS (werift's) and SRTP.
 * What comes in is not decrypted, which would cost more than the SFU takes to send it.
 */
export class Link {
  readonly usernameFragment = randomBytes(4).toString("hex");
  readonly password = randomBytes(12).toString("hex");
  readonly fingerprint: string;
  /** Takes SRTP and SRTCP as they come. */
  onPacket: (packet: Buffer) => void = () => {};
  /** When anything came last, by `performance.now()`. */
  heardAt = Number.NaN;
  readonly #certificate: RTCCertificate;
  readonly #socket: Socket;
  readonly #reached = Promise.withResolvers<void>();
  #onDtls: (record: Buffer) => void = () => {};
  #remote: Remote | null = null;
  #timer: NodeJS.Timeout | undefined;
  #srtp: SrtpSession | null = null;
  #isClosed = false;

  private constructor(socket: Socket, own: RTCCertificate) {
    this.#socket = socket;
    this.#certificate = own;
    this.fingerprint = own.getFingerprints()[0]?.value ?? "";
    socket.on("message", (datagram) => this.#hear(datagram));
    // An SFU that is gone: what is sent to its port comes back as an error.
    socket.on("error", () => {});
  }

  static async open(address = "127.0.0.1"): Promise<Link> {
    const socket = createSocket({ type: "udp4", recvBufferSize: BUFFER, sendBufferSize: BUFFER });
    socket.bind(0, address);
    await once(socket, "listening");
    return new Link(socket, await certificate);
  }

  get isConnected(): boolean {
    return this.#srtp !== null;
  }

  /** Returns when media can be sent. @throws what DTLS says, or that the link was closed meanwhile */
  async connect(remote: Remote): Promise<void> {
    this.#remote = remote;
    this.#check();
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
    await this.#reached.promise;
    clearInterval(this.#timer);
    if (this.#isClosed) throw new Error("the link was closed");
    this.#timer = setInterval(() => this.#check(), CONSENT_MS);
    this.#srtp = await this.#handshake();
  }

  send(header: RtpHeader, payload: Buffer): void {
    if (this.#srtp) this.#post(this.#srtp.encrypt(payload, header));
  }

  /** The payload of an RTP packet that has come; null before there are keys, and of one that is not the SFU's. */
  read(packet: Buffer): Buffer | null {
    try {
      const plain = this.#srtp?.decrypt(packet);
      return plain ? RtpPacket.deSerialize(plain).payload : null;
    } catch {
      return null;
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#srtp = null;
    this.#reached.resolve();
    this.#socket.close();
  }

  /** RFC 7983, section 7: what a datagram is, its first byte tells. */
  #hear(datagram: Buffer): void {
    const first = datagram[0] ?? 0;
    this.heardAt = performance.now();
    if (first >= 128 && first < 192) this.onPacket(datagram);
    else if (first >= 20 && first < 64) this.#onDtls(datagram);
    else if (first < 4) this.#reached.resolve();
  }

  #post(datagram: Buffer): void {
    if (this.#remote && !this.#isClosed) this.#socket.send(datagram, this.#remote.port, this.#remote.ip);
  }

  /** RFC 8445, section 7.1.1: each check nominates, since a lite agent has no other pair to offer. */
  #check(): void {
    if (!this.#remote) return;
    const { usernameFragment, password } = this.#remote;
    const request = new Message(methods.BINDING, classes.REQUEST);
    request
      .setAttribute("USERNAME", `${usernameFragment}:${this.usernameFragment}`)
      .setAttribute("PRIORITY", 0x7eff_ffff)
      .setAttribute("ICE-CONTROLLING", 1n)
      .setAttribute("USE-CANDIDATE", null);
    this.#post(request.addMessageIntegrity(Buffer.from(password)).addFingerprint().bytes);
  }

  async #handshake(): Promise<SrtpSession> {
    const { certPem: cert, privateKey: key, signatureHash } = this.#certificate;
    const transport = {
      type: "udp",
      address: this.#socket.address(),
      closed: false,
      onData: (_record: Buffer) => {},
      send: async (record: Buffer) => this.#post(record),
      close: async () => {},
    };
    this.#onDtls = (record) => transport.onData(record);
    const srtpProfiles: [typeof AEAD_AES_128_GCM] = [AEAD_AES_128_GCM];
    const dtls = new PromptDtlsClient({
      cert,
      key,
      signatureHash,
      transport,
      srtpProfiles,
      extendedMasterSecret: true,
    });
    const connected = new Promise<void>((resolve, reject) => {
      dtls.onConnect.once(() => resolve());
      dtls.onError.once(reject);
      // Ends half a second after its first flight, whatever has come meanwhile.
      dtls.connect().catch(reject);
    });
    await connected;
    const profile = dtls.srtp.srtpProfile ?? AEAD_AES_128_GCM;
    const keys = dtls.extractSessionKeys(keyLength(profile), saltLength(profile));
    return new SrtpSession({
      profile,
      keys: {
        localMasterKey: keys.localKey,
        localMasterSalt: keys.localSalt,
        remoteMasterKey: keys.remoteKey,
        remoteMasterSalt: keys.remoteSalt,
      },
    });
  }
}
