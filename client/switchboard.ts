import type { DeviceType } from "../schema/client-messages.ts";
import type { PresenceResponse } from "../schema/http.ts";
import type { ServerMessage, ServerMessageOf } from "../schema/server-messages.ts";
import { Api } from "./api.ts";
import type { Call } from "./call.ts";
import type { CallLink } from "./call-link.ts";
import type { Person } from "./call-options.ts";
import { endAndAccept, hangUpAll, holdAndAccept, resumeHeld, switchTo } from "./call-waiting.ts";
import { Calls } from "./calls.ts";
import { Commands } from "./commands.ts";
import { DeviceCall } from "./device-call.ts";
import type { CallElsewhere } from "./elsewhere.ts";
import { freshIceConfiguration, iceConfiguration } from "./ice-configuration.ts";
import { Inbox } from "./inbox.ts";
import { type MediaChoice, openCamera, openMedia, openMicrophone, openScreen } from "./media.ts";
import type { Peer, PeerOptions } from "./peer.ts";
import { browserPlatform, type Platform } from "./platform.ts";
import { RegionRtts } from "./region-rtts.ts";
import type { RoomPeer, RoomPeerOptions } from "./room/room-peer.ts";
import { RtcRoomPeer } from "./room/rtc-room-peer.ts";
import { RtcPeer } from "./rtc-peer.ts";
import { Signal } from "./signal.ts";
import { type CloseReason, ReconnectingSocket, type SocketStatus } from "./socket.ts";
import { Sockets } from "./sockets.ts";
import { TokenLease } from "./token-lease.ts";

export interface SwitchboardOptions {
  /** Where the deployment answers, such as `https://calls.example.com`. */
  readonly url: string;
  /** A JWT of the app's issuer. Asked for at each connection and before one expires, so it may fetch a fresh one. */
  readonly token: () => string | Promise<string>;
  /** A UUID that the app keeps for this device. */
  readonly deviceId: string;
  readonly deviceType: DeviceType;
  readonly deviceName?: string;
  readonly platform?: Partial<Platform>;
  /** Replaces `RTCPeerConnection` as a whole, where media comes from elsewhere. */
  readonly openPeer?: (options: PeerOptions) => Peer;
  /** The same for the connection to a room. */
  readonly openRoomPeer?: (options: RoomPeerOptions) => RoomPeer;
}

export interface ConnectionStatus {
  readonly status: SocketStatus;
  /** With `closed`: whether this side closed, or another connection of this device took over. */
  readonly reason: CloseReason | undefined;
}

const USER_SOCKET = "/ws";

/** One device of one user: its connection, whom it may call, and the calls it is in. */
export class Switchboard {
  readonly incoming = new Signal<Call>();
  readonly presence = new Signal<PresenceResponse>();
  readonly connection = new Signal<ConnectionStatus>();
  /** The calls that other devices of the user are in, whenever that changes: they may be moved here. */
  readonly elsewhere = new Signal<readonly CallElsewhere[]>();
  readonly api: Api;
  readonly #options: SwitchboardOptions;
  readonly #platform: Platform;
  readonly #commands = new Commands();
  readonly #calls = new Calls();
  readonly #link: CallLink;
  readonly #inbox: Inbox;
  readonly #sockets: Sockets;
  readonly #lease: TokenLease;
  readonly #rtts: RegionRtts;
  #userId = "";
  #stopWatching: (() => void) | null = null;
  #seq: number | undefined;
  #watched: readonly string[] = [];

  constructor(options: SwitchboardOptions) {
    this.#options = options;
    this.#platform = { ...browserPlatform(), ...options.platform };
    const { now } = this.#platform;
    this.api = new Api({ url: options.url, token: () => this.#token(), platform: this.#platform });
    this.#rtts = new RegionRtts(this.#platform);
    this.#sockets = new Sockets((path) => this.#socket(path));
    const renew = (token: string) => this.#sockets.renew(token);
    this.#lease = new TokenLease({ token: () => this.#token(), renew, now });
    this.#link = this.#makeLink();
    this.#inbox = new Inbox(this.#calls, this.#link, {
      rung: (call) => this.#rung(new DeviceCall({ ...call, link: this.#link })),
      elsewhere: (calls) => this.elsewhere.emit(calls),
    });
  }

  get status(): SocketStatus {
    return this.#sockets.user.status;
  }

  /** The calls that other devices of the user are in. */
  get callsElsewhere(): readonly CallElsewhere[] {
    return this.#inbox.elsewhere;
  }

  connect(): void {
    this.#sockets.user.open();
    this.#stopWatching ??= this.#platform.onNetworkChange(() => this.networkChanged());
  }

  /** The page is back: looks at once whether the connections are alive. */
  wake(): void {
    this.#sockets.wake();
  }

  /**
   * The device has come to another network: connections on the old one are replaced, and calls go on by the new one.
   * In browsers this happens by itself.
   */
  networkChanged(): void {
    void this.#sockets.verify(true);
    for (const call of this.#calls.all) call.moved();
  }

  /** Leaves every call and goes offline. */
  close(): void {
    hangUpAll(this.#calls);
    this.#calls.clear();
    this.#commands.close();
    this.#lease.end();
    this.#stopWatching?.();
    this.#stopWatching = null;
    this.#sockets.user.close();
  }

  /** Calls somebody. The call is there at once; how it goes is in its `phase`. */
  call(person: Person, choice: MediaChoice): Call {
    const callType = choice.video ? "video" : "audio";
    return this.#start(new DeviceCall({ link: this.#link, direction: "outgoing", callType, person, id: null }), choice);
  }

  /** Calls several people at once; who is in the call, and what they send, is in its `room`. */
  callGroup(people: readonly [Person, ...Person[]], choice: MediaChoice): Call {
    const about = { direction: "outgoing", callType: "group", person: people[0], people, id: null } as const;
    return this.#start(new DeviceCall({ link: this.#link, ...about }), choice);
  }

  /** Joins a group call that goes on: one that the user has declined, missed or left, or is in with another device. */
  join(callId: string, person: Person, choice: MediaChoice): Call {
    const here = this.#calls.get(callId);
    if (here) return here;
    const about = { direction: "incoming", callType: "group", person, id: callId } as const;
    const call = new DeviceCall({ link: this.#link, ...about });
    this.#calls.addAgain(callId, call);
    void call.join(choice);
    return call;
  }

  /**
   * Takes a waiting call, and hangs up the one that this device talks in. Calls on hold stay so, unless there is nothing
   * else to hang up.
   * @throws SwitchboardError as `call.answer`
   */
  endAndAccept(call: Call, choice: MediaChoice): Promise<void> {
    return endAndAccept(this.#calls, call, choice);
  }

  /**
   * Takes a waiting call, and puts the others on hold; one that nobody has answered yet is given up.
   * @throws SwitchboardError as `call.answer`
   */
  holdAndAccept(call: Call, choice: MediaChoice): Promise<void> {
    return holdAndAccept(this.#calls, call, choice);
  }

  /** Goes on with a call that is on hold, and puts the one that this device talks in on hold. */
  switchTo(held: Call): Promise<void> {
    return switchTo(this.#calls, held);
  }

  /** Takes a call over from another device of the user's, which keeps it until media flows here. */
  moveHere({ callId, direction, callType, person, since }: CallElsewhere, choice: MediaChoice): Call {
    const here = this.#calls.get(callId);
    if (here) return here;
    const movingSince = Math.min(since, this.#platform.now());
    const call = new DeviceCall({ link: this.#link, direction, callType, person, id: callId, movingSince });
    this.#calls.addAgain(callId, call);
    void call.takeOver(choice);
    return call;
  }

  /** Whose presence to tell of; replaces what was watched before. */
  watchPresence(userIds: readonly string[]): void {
    this.#watched = userIds;
    if (this.status === "open") this.#watch();
  }

  #start(call: DeviceCall, choice: MediaChoice): Call {
    const commandId = crypto.randomUUID();
    this.#calls.initiate(commandId, call);
    void call.start(choice, commandId).finally(() => this.#calls.settled(commandId));
    return call;
  }

  #makeLink(): CallLink {
    const platform = this.#platform;
    const userId = () => this.#userId;
    return {
      deviceId: this.#options.deviceId,
      get userId() {
        return userId();
      },
      now: () => platform.now(),
      random: () => platform.random(),
      request: (message, callId, commandId) =>
        this.#commands.request(message, (identified) => this.#sockets.for(callId).trySend(identified), commandId),
      send: (message) => this.#sockets.for(message.callId).send(message),
      attach: (callId) => this.#sockets.attach(callId),
      isEngagedBeside: (callId) => this.#calls.engaged.some(({ id }) => id !== callId),
      freed: () => resumeHeld(this.#calls),
      release: (callId) => this.#release(callId),
      reachable: () => this.#sockets.verify(false),
      openMedia: (choice) => openMedia(platform, choice),
      openMicrophone: (microphoneId) => openMicrophone(platform, { microphoneId }),
      openCamera: (cameraId) => openCamera(platform, { cameraId }),
      openScreen: () => openScreen(platform),
      openPeer: (isPolite, events) => this.#openPeer({ isPolite, events }),
      openRoomPeer: (events) => this.#openRoomPeer({ events }),
    };
  }

  async #openPeer(options: Pick<PeerOptions, "isPolite" | "events">): Promise<Peer> {
    const open = this.#options.openPeer ?? ((all: PeerOptions) => new RtcPeer(this.#platform, all));
    const configuration = await iceConfiguration(this.api);
    const prepareRestart = () => freshIceConfiguration(this.api, this.#sockets.verify(false));
    return open({ ...options, configuration, prepareRestart });
  }

  async #openRoomPeer(options: Omit<RoomPeerOptions, "configuration">): Promise<RoomPeer> {
    const open = this.#options.openRoomPeer ?? ((all: RoomPeerOptions) => new RtcRoomPeer(this.#platform, all));
    return open({ ...options, configuration: await iceConfiguration(this.api) });
  }

  #socket(path: string): ReconnectingSocket {
    const { url, deviceId, deviceType, deviceName } = this.#options;
    const isUserSocket = path === USER_SOCKET;
    return new ReconnectingSocket({
      url: new URL(path, url.replace(/^http/, "ws")).href,
      token: () => this.#token(),
      platform: this.#platform,
      register: () => ({
        deviceId,
        deviceType,
        ...(deviceName !== undefined && { deviceName }),
        ...(this.#seq !== undefined && { since: this.#seq }),
        ...(!isUserSocket && this.#rtts.measured.length > 0 && { rtts: [...this.#rtts.measured] }),
      }),
      onMessage: (message) => this.#heard(message),
      onRegistered: (message, isResumed, token) =>
        isUserSocket ? this.#registered(message, token) : this.#callRegistered(message, isResumed),
      ...(isUserSocket && { onStatus: (status, reason) => this.connection.emit({ status, reason }) }),
    });
  }

  async #token(): Promise<string> {
    return this.#options.token();
  }

  #release(callId: string | null): void {
    if (callId === null) return;
    this.#calls.remove(callId);
    this.#sockets.detach(callId);
    // One that waited behind it does so no longer.
    for (const call of this.#calls.all) if (call.phase.kind === "incoming") call.changed.emit(call);
  }

  #rung(call: DeviceCall): void {
    if (call.id !== null) this.#calls.add(call.id, call);
    this.incoming.emit(call);
  }

  /** Commands without a reply, over the socket that every device has. */
  #resend(): void {
    this.#commands.resend((command) => this.#sockets.trySend(command));
  }

  #callRegistered({ calls }: ServerMessageOf<"registered">, isResumed: boolean): void {
    if (isResumed) this.#resend();
    this.#inbox.snapshots(calls, false);
    if (isResumed) for (const { callId } of calls) this.#calls.get(callId)?.reattached();
  }

  #registered({ userId, seq, calls }: ServerMessageOf<"registered">, token: string): void {
    this.#userId = userId;
    this.#seq = seq;
    this.#lease.holds(token);
    // With the token that was just good: asking for another is the app's work.
    void this.#rtts.measure(new Api({ url: this.#options.url, token: async () => token, platform: this.#platform }));
    this.#resend();
    this.#inbox.snapshots(calls, true);
    const told = new Set(calls.map(({ callId }) => callId));
    for (const call of this.#calls.all) {
      if (call.id !== null && !told.has(call.id)) call.resumed();
      else call.media.recover();
    }
    if (this.#watched.length > 0) this.#watch();
  }

  #watch(): void {
    this.#sockets.user.send({ type: "presence_watch", userIds: [...this.#watched] });
  }

  #heard(message: ServerMessage): void {
    if (message.type === "presence") this.presence.emit(presenceOf(message));
    // Not the answer to anything: the token of the socket has expired.
    else if (message.type === "error" && message.code === "unauthorized" && message.re === undefined) {
      void this.#lease.renew();
    } else this.#inbox.hear(message);
    this.#commands.settle(message);
  }
}

function presenceOf({ userId, status, lastSeen }: ServerMessageOf<"presence">): PresenceResponse {
  return { userId, status, lastSeen };
}
