import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { classes, Message, methods, parseMessage } from "werift";
import type { TurnServer } from "../../tools/turn/start.ts";
import { PATIENCE_MS } from "./patience.ts";

/** Over UDP a request that got lost is sent again (RFC 8489, 6.2.1). */
const RETRANSMISSION_MS = 500;
const HEADER = 20;
/** UDP (RFC 8656, 18.7), in the first of four bytes. */
const OVER_UDP = 17 << 24;

export type Transport = "udp" | "tcp" | "tls";

type Attribute = Parameters<Message["setAttribute"]>[0];

export interface Credential {
  readonly username: string;
  readonly credential: string;
}

/** The lifetime of an allocation in seconds, or the code of the error. */
export type Allocated = { readonly lifetime: number } | { readonly error: number };

/** What a WebRTC stack does with a TURN server, one request at a time (RFC 8656). */
export class TurnClient {
  readonly #send: (bytes: Buffer) => void;
  readonly #close: () => void;
  readonly #isReliable: boolean;
  readonly #waiting = new Map<string, (answer: Message) => void>();
  #signed: { readonly username: string; readonly key: Buffer; readonly realm: string; readonly nonce: Buffer } | null =
    null;

  private constructor(isReliable: boolean, send: (bytes: Buffer) => void, close: () => void) {
    this.#isReliable = isReliable;
    this.#send = send;
    this.#close = close;
  }

  static async open({ port, tlsPort }: Pick<TurnServer, "port" | "tlsPort">, transport: Transport) {
    if (transport === "udp") return TurnClient.#overUdp(port);
    if (transport === "tcp") return TurnClient.#over(connectTcp(port, "127.0.0.1"), "connect");
    // The certificate of the tests is its own authority.
    return TurnClient.#over(
      connectTls({ port: tlsPort, host: "127.0.0.1", rejectUnauthorized: false }),
      "secureConnect",
    );
  }

  static async #overUdp(port: number): Promise<TurnClient> {
    const socket = createSocket("udp4");
    socket.connect(port, "127.0.0.1");
    await once(socket, "connect");
    // A server that has just started takes TCP a moment before it takes UDP.
    socket.on("error", () => {});
    const client = new TurnClient(
      false,
      (bytes) => socket.send(bytes),
      () => socket.close(),
    );
    socket.on("message", (bytes) => client.#hear(bytes));
    return client;
  }

  static async #over(socket: Duplex, ready: string): Promise<TurnClient> {
    await once(socket, ready);
    const client = new TurnClient(
      true,
      (bytes) => socket.write(bytes),
      () => socket.destroy(),
    );
    let rest: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= HEADER && rest.length >= HEADER + rest.readUInt16BE(2)) {
        const length = HEADER + rest.readUInt16BE(2);
        client.#hear(rest.subarray(0, length));
        rest = rest.subarray(length);
      }
    });
    return client;
  }

  /** As every client does: asked first without a credential, the server says its realm and a nonce. */
  async allocate({ username, credential }: Credential, as: { readonly realm?: string } = {}): Promise<Allocated> {
    const asked = await this.#ask(methods.ALLOCATE, "REQUESTED-TRANSPORT", OVER_UDP);
    const realm: string = as.realm ?? asked.getAttributeValue("REALM");
    const key = createHash("md5").update(`${username}:${realm}:${credential}`).digest();
    this.#signed = { username, key, realm, nonce: asked.getAttributeValue("NONCE") };
    const answer = await this.#ask(methods.ALLOCATE, "REQUESTED-TRANSPORT", OVER_UDP);
    return answer.messageClass === classes.ERROR
      ? { error: errorOf(answer) }
      : { lifetime: answer.getAttributeValue("LIFETIME") };
  }

  /** Asks to send to and hear from an address. @returns the code of the error, or null */
  async permit(peer: string): Promise<number | null> {
    const answer = await this.#ask(methods.CREATE_PERMISSION, "XOR-PEER-ADDRESS", [peer, 9]);
    return answer.messageClass === classes.ERROR ? errorOf(answer) : null;
  }

  close(): void {
    this.#close();
  }

  async #ask(method: methods, name: Attribute, value: unknown): Promise<Message> {
    const request = new Message(method, classes.REQUEST).setAttribute(name, value);
    const signed = this.#signed;
    if (signed) {
      request.setAttribute("USERNAME", signed.username).setAttribute("REALM", signed.realm);
      request.setAttribute("NONCE", signed.nonce).addMessageIntegrity(signed.key);
    }
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const timer = setTimeout(() => reject(new Error("the TURN server does not answer")), PATIENCE_MS);
    this.#waiting.set(request.transactionIdHex, resolve);
    this.#send(request.bytes);
    const again = this.#isReliable ? undefined : setInterval(() => this.#send(request.bytes), RETRANSMISSION_MS);
    return promise.finally(() => {
      clearTimeout(timer);
      clearInterval(again);
    });
  }

  #hear(bytes: Buffer): void {
    const message = parseMessage(bytes);
    if (message) this.#waiting.get(message.transactionIdHex)?.(message);
  }
}

function errorOf(answer: Message): number {
  return answer.getAttributeValue("ERROR-CODE")[0];
}
