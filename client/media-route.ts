import type { CallType } from "../schema/call.ts";
import type { ServerMessage } from "../schema/server-messages.ts";
import { type CallCommand, type CallCommands, candidates, negotiation } from "./call-commands.ts";
import { feed } from "./call-feed.ts";
import type { CallLink } from "./call-link.ts";
import { CallMedia, type CallMediaEvents } from "./call-media.ts";
import type { Person } from "./call-options.ts";
import { type CallPhase, isAnswered, type Self } from "./call-state.ts";
import type { MediaChoice } from "./media.ts";
import { PathReports } from "./path-reports.ts";
import type { PathState } from "./peer.ts";
import { isOfGroup, openRoom, pairOf } from "./room/call-room.ts";
import type { DeviceRoom } from "./room/device-room.ts";

interface MediaRouteOptions {
  readonly link: CallLink;
  readonly commands: CallCommands;
  readonly callType: CallType;
  readonly direction: Self["direction"];
  readonly person: Person;
  readonly people: readonly Person[];
}

interface MediaRouteEvents {
  send(command: CallCommand): void;
  path(state: "connected" | "recovering"): void;
  /** There is no room to be had. */
  lost(): void;
  /** Something that a page shows has changed. */
  changed(): void;
}

/** The way that a call's sound and picture take: between two directly, or by a room of more. */
export class MediaRoute {
  readonly media: CallMedia;
  readonly #options: MediaRouteOptions;
  readonly #events: MediaRouteEvents;
  readonly #reports: PathReports;
  #room: DeviceRoom | null = null;

  constructor(options: MediaRouteOptions, events: MediaRouteEvents) {
    this.#options = options;
    this.#events = events;
    this.media = new CallMedia(options.link, this.#mediaEvents());
    this.#reports = new PathReports({
      callType: options.callType,
      now: () => options.link.now(),
      stats: () => (this.#room && this.#isInRoom ? this.#room.stats() : this.media.stats()),
      send: (report) => events.send({ type: "call_media", ...report }),
    });
    if (this.#isBornAsGroup) this.#room = this.#openRoom();
  }

  get room(): DeviceRoom | null {
    return this.#room;
  }

  /** This device comes to a call that has gone on before. */
  begins(): void {
    this.#reports.begins();
  }

  /** It alerts its user; a caller hears of it. */
  alerting(): void {
    this.#reports.mark("alertingMs");
  }

  /** A group's media begins when it is answered, with the room. */
  async offer(choice: MediaChoice): Promise<string | undefined> {
    if (!this.#isBornAsGroup) return this.media.offer(choice);
    await this.media.openDevices(choice);
    return undefined;
  }

  async answer(choice: MediaChoice, offer: string | undefined): Promise<string | undefined> {
    if (!this.#isBornAsGroup) return this.media.answer(choice, offer);
    await this.media.openDevices(choice);
    return undefined;
  }

  async hold(isOn: boolean): Promise<void> {
    await this.media.hold(isOn);
    this.#room?.publish();
  }

  /** @param phase after the message */
  hear(message: ServerMessage, phase: CallPhase, self: Self): void {
    if (isOfGroup(message)) this.#room ??= this.#openRoom();
    if (phase.kind === "ringing") this.alerting();
    if (isAnswered(phase)) this.#answered();
    this.#room?.hear(message);
    void this.#feed(message, phase, self);
  }

  #answered(): void {
    this.#reports.mark("answeredMs");
    this.#room?.answered();
  }

  /** The device has another network. */
  moved(): void {
    this.media.recover(true);
    this.#room?.moved();
  }

  close(): void {
    this.#reports.close();
    this.#room?.close();
    this.media.close();
  }

  async #feed(message: ServerMessage, phase: CallPhase, self: Self): Promise<void> {
    try {
      const reply = await feed(message, { media: this.media, phase, self });
      if (reply) this.#events.send(reply);
      if (message.type === "room_closed") this.#leaveRoom();
    } catch {
      // What the other side sent does not fit its connection; ICE and the next description mend what can be.
    }
  }

  /** The two who are left have connected with each other. */
  #leaveRoom(): void {
    const other = this.#room?.participants.find(({ state }) => state === "joined");
    if (!other || !this.media.remoteStream) return;
    this.#room?.leaveFor(pairOf(other.userId, this.media));
    this.#reports.pathIs("connected");
  }

  /** The room carries the media. */
  get #isInRoom(): boolean {
    return (this.#room?.isUp ?? false) && !this.#room?.isPaired;
  }

  #mediaEvents(): CallMediaEvents {
    const { send, path, changed } = this.#events;
    return {
      description: (description, connectionId) => send(negotiation(description, connectionId)),
      candidates: (batch, connectionId) => send(candidates(batch, connectionId)),
      path: (state) => {
        // In a group the connection between two is on its way out.
        const isPaired = this.#room?.isPaired ?? false;
        if (this.#room && !isPaired && (state === "failed" || this.#room.isUp)) return;
        this.#reports.pathIs(state);
        if (state !== "failed") path(state);
      },
      pairUp: (connectionId) => send({ type: "call_media", state: "connected", connectionId }),
      changed: () => {
        this.#room?.publish();
        changed();
      },
    };
  }

  #openRoom(): DeviceRoom {
    const { link, commands, direction, person, people } = this.#options;
    const state = this.#isBornAsGroup && direction === "outgoing" ? "invited" : "joined";
    return openRoom({
      link,
      commands,
      media: this.media,
      peerId: this.#isBornAsGroup ? null : person.userId,
      known: people.map((somebody) => ({ ...somebody, state })),
      changed: () => this.#events.changed(),
      path: (pathState) => this.#roomPathIs(pathState),
    });
  }

  #roomPathIs(state: PathState): void {
    if (state === "failed") {
      this.#events.lost();
      return;
    }
    this.#reports.pathIs(state);
    this.#events.path(state);
  }

  get #isBornAsGroup(): boolean {
    return this.#options.callType === "group";
  }
}
