import type { CallSnapshot } from "../schema/call.ts";
import type { DeviceType } from "../schema/client-messages.ts";
import type { PresenceResponse } from "../schema/http.ts";
import type { ServerMessage, ServerMessageOf } from "../schema/server-messages.ts";
import { Api } from "./api.ts";
import { Call, type Person } from "./call.ts";
import type { CallLink } from "./call-link.ts";
import { Commands } from "./commands.ts";
import { type MediaChoice, openCamera, openMedia, openMicrophone } from "./media.ts";
import type { Peer, PeerOptions } from "./peer.ts";
import { browserPlatform, type Platform } from "./platform.ts";
import { RtcPeer } from "./rtc-peer.ts";
import { Signal } from "./signal.ts";
import { type CloseReason, ReconnectingSocket, type SocketOptions, type SocketStatus } from "./socket.ts";

export interface SwitchboardOptions {
  /** Where the deployment answers, such as `https://calls.example.com`. */
  readonly url: string;
  /** A JWT of the app's issuer. Asked for at each connection, so it may fetch a fresh one. */
  readonly token: () => string | Promise<string>;
  /** A UUID that the app keeps for this device. */
  readonly deviceId: string;
  readonly deviceType: DeviceType;
  readonly deviceName?: string;
  readonly platform?: Partial<Platform>;
  /** Replaces `RTCPeerConnection` as a whole, where media comes from elsewhere. */
  readonly openPeer?: (options: PeerOptions) => Peer;
}

export interface ConnectionStatus {
  readonly status: SocketStatus;
  /** With `closed`: whether this side closed, or another connection of this device took over. */
  readonly reason: CloseReason | undefined;
}

/** More than a device sees within the life of a ring. */
const MAX_REMEMBERED = 100;

/** One device of one user: its connection, whom it may call, and the calls it is in. */
export class Switchboard {
  readonly incoming = new Signal<Call>();
  readonly presence = new Signal<PresenceResponse>();
  readonly connection = new Signal<ConnectionStatus>();
  readonly api: Api;
  readonly #options: SwitchboardOptions;
  readonly #platform: Platform;
  readonly #commands = new Commands();
  readonly #userSocket: ReconnectingSocket;
  readonly #callSockets = new Map<string, ReconnectingSocket>();
  readonly #calls = new Map<string, Call>();
  /** Outgoing calls that have no id yet, by the id of their command. */
  readonly #initiating = new Map<string, Call>();
  /** Calls that are over here: one that was ignored does not ring again after a reconnection. */
  readonly #over = new Set<string>();
  #seq: number | undefined;
  #watched: readonly string[] = [];

  constructor(options: SwitchboardOptions) {
    this.#options = options;
    this.#platform = { ...browserPlatform(), ...options.platform };
    this.api = new Api({ url: options.url, token: () => this.#token(), platform: this.#platform });
    this.#userSocket = this.#socket("/ws", {
      onRegistered: (message) => this.#registered(message),
      onStatus: (status, reason) => this.connection.emit({ status, reason }),
    });
  }

  get status(): SocketStatus {
    return this.#userSocket.status;
  }

  connect(): void {
    this.#userSocket.open();
  }

  /** The network or the page is back: looks at once whether the connections are alive. */
  wake(): void {
    for (const socket of [this.#userSocket, ...this.#callSockets.values()]) socket.wake();
  }

  /** Leaves every call and goes offline. */
  close(): void {
    for (const call of [...this.#initiating.values(), ...this.#calls.values()]) {
      if (call.phase.kind !== "incoming") call.hangUp();
    }
    this.#calls.clear();
    this.#commands.close();
    this.#userSocket.close();
  }

  /** Calls somebody. The call is there at once; how it goes is in its `phase`. */
  call(person: Person, choice: MediaChoice): Call {
    const callType = choice.video ? "video" : "audio";
    const call = new Call({ link: this.#link(), direction: "outgoing", callType, person, id: null });
    const commandId = crypto.randomUUID();
    this.#initiating.set(commandId, call);
    void call.start(choice, commandId).finally(() => this.#initiating.delete(commandId));
    return call;
  }

  /** Whose presence to tell of; replaces what was watched before. */
  watchPresence(userIds: readonly string[]): void {
    this.#watched = userIds;
    if (this.status === "open") this.#watch();
  }

  #link(): CallLink {
    const platform = this.#platform;
    return {
      deviceId: this.#options.deviceId,
      now: () => platform.now(),
      request: (message, callId, commandId) =>
        this.#commands.request(message, (identified) => this.#socketFor(callId).trySend(identified), commandId),
      send: (message) => this.#socketFor(message.callId).send(message),
      attach: (callId) => this.#attach(callId),
      release: (callId) => this.#release(callId),
      openMedia: (choice) => openMedia(platform, choice),
      openMicrophone: (microphoneId) => openMicrophone(platform, { microphoneId }),
      openCamera: (cameraId) => openCamera(platform, { cameraId }),
      openPeer: (isPolite, events) => this.#openPeer({ isPolite, events }),
    };
  }

  async #openPeer(options: Omit<PeerOptions, "configuration">): Promise<Peer> {
    const { iceServers, iceTransportPolicy } = await this.api.iceServers();
    const open = this.#options.openPeer ?? ((all: PeerOptions) => new RtcPeer(this.#platform, all));
    return open({ ...options, configuration: { iceServers: iceServers.map(iceServer), iceTransportPolicy } });
  }

  #socket(path: string, on: Pick<SocketOptions, "onRegistered" | "onStatus">): ReconnectingSocket {
    const { url, deviceId, deviceType, deviceName } = this.#options;
    return new ReconnectingSocket({
      url: new URL(path, url.replace(/^http/, "ws")).href,
      token: () => this.#token(),
      platform: this.#platform,
      register: () => ({
        deviceId,
        deviceType,
        ...(deviceName !== undefined && { deviceName }),
        ...(this.#seq !== undefined && { since: this.#seq }),
      }),
      onMessage: (message) => this.#heard(message),
      ...on,
    });
  }

  async #token(): Promise<string> {
    return this.#options.token();
  }

  #attach(callId: string): void {
    if (this.#callSockets.has(callId)) return;
    const socket = this.#socket(`/calls/${callId}/ws`, {
      onRegistered: ({ calls }, isResumed) => {
        if (isResumed) this.#resend();
        this.#snapshots(calls);
      },
    });
    this.#callSockets.set(callId, socket);
    socket.open();
  }

  #socketFor(callId: string | null): ReconnectingSocket {
    const own = callId === null ? undefined : this.#callSockets.get(callId);
    return own?.status === "open" ? own : this.#userSocket;
  }

  #release(callId: string | null): void {
    if (callId === null) return;
    this.#calls.delete(callId);
    this.#remember(callId);
    this.#callSockets.get(callId)?.close();
    this.#callSockets.delete(callId);
  }

  #remember(callId: string): void {
    this.#over.add(callId);
    const [oldest] = this.#over;
    if (this.#over.size > MAX_REMEMBERED && oldest !== undefined) this.#over.delete(oldest);
  }

  /** Commands without a reply, over the socket that every device has. */
  #resend(): void {
    this.#commands.resend((command) => this.#userSocket.trySend(command));
  }

  #registered(message: ServerMessageOf<"registered">): void {
    this.#seq = message.seq;
    this.#resend();
    this.#snapshots(message.calls);
    for (const snapshot of message.calls) this.#endOrphan(snapshot);
    const told = new Set(message.calls.map((snapshot) => snapshot.callId));
    for (const call of [...this.#calls.values()]) {
      if (call.id !== null && !told.has(call.id)) call.resumed();
      else call.media.recover();
    }
    if (this.#watched.length > 0) this.#watch();
  }

  #snapshots(snapshots: readonly CallSnapshot[]): void {
    for (const snapshot of snapshots) this.#calls.get(snapshot.callId)?.handle({ type: "call_state", ...snapshot });
  }

  /** A call that an earlier life of this device was in: its media went with that life. */
  #endOrphan({ callId, caller, answeredBy, state }: CallSnapshot): void {
    const { deviceId } = this.#options;
    const isOurs = caller.deviceId === deviceId || answeredBy?.deviceId === deviceId;
    if (!isOurs || state === "ended" || this.#calls.has(callId) || this.#initiating.size > 0) return;
    this.#userSocket.send({ type: "call_end", callId });
  }

  #watch(): void {
    this.#userSocket.send({ type: "presence_watch", userIds: [...this.#watched] });
  }

  #heard(message: ServerMessage): void {
    if (message.type === "presence") this.presence.emit(presenceOf(message));
    else if (message.type === "incoming_call") this.#rung(message);
    else if (message.type === "call_initiated") this.#initiated(message);
    else this.#tell(message);
    this.#commands.settle(message);
  }

  #rung(message: ServerMessageOf<"incoming_call">): void {
    const { callId, caller, callType, sdp, remainingMs } = message;
    if (this.#calls.has(callId) || this.#over.has(callId)) return;
    const person = { userId: caller.userId, name: caller.name };
    const link = this.#link();
    const call = new Call({ link, direction: "incoming", callType, person, id: callId, offer: sdp, remainingMs });
    this.#calls.set(callId, call);
    this.incoming.emit(call);
  }

  /** Before the promise of the reply resolves: the next frame may already be about this call. */
  #initiated(message: ServerMessageOf<"call_initiated">): void {
    const call = message.re === undefined ? undefined : this.#initiating.get(message.re);
    if (!call) {
      // A reply that came after its time-out: nobody waits for this call.
      if (!this.#calls.has(message.callId)) this.#userSocket.send({ type: "call_end", callId: message.callId });
      return;
    }
    if (call.phase.kind !== "ended") this.#calls.set(message.callId, call);
    call.handle(message);
  }

  #tell(message: ServerMessage): void {
    const callId = "callId" in message ? message.callId : undefined;
    if (callId !== undefined) this.#calls.get(callId)?.handle(message);
  }
}

function presenceOf({ userId, status, lastSeen }: ServerMessageOf<"presence">): PresenceResponse {
  return { userId, status, lastSeen };
}

function iceServer({
  urls,
  username,
  credential,
}: Awaited<ReturnType<Api["iceServers"]>>["iceServers"][number]): RTCIceServer {
  return { urls, ...(username !== undefined && { username }), ...(credential !== undefined && { credential }) };
}
