import type { Register } from "../../schema/client-messages.ts";
import { LATE_RING_MIN_MS } from "../../schema/limits.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { incoming, recover } from "../call/notices.ts";
import type { CallView } from "../call/state.ts";
import { rings } from "../call/told.ts";
import { snapshotOf } from "../call/view.ts";
import { failure, log, short } from "../log.ts";
import { errorMessage, type Identity, registered } from "../socket.ts";
import { endedSince } from "./calls.ts";
import type { Core } from "./core.ts";
import type { Profile } from "./state.ts";
import { attachment, type UserSockets } from "./user-sockets.ts";

/** How a device comes, or comes back: by the state of its user's calls, not by a log of what it missed. */
export class Registration {
  readonly #calls: Env["CALLS"];
  readonly #sockets: UserSockets;
  readonly #core: Core;

  constructor(calls: Env["CALLS"], sockets: UserSockets, core: Core) {
    this.#calls = calls;
    this.#sockets = sockets;
    this.#core = core;
  }

  /**
   * The socket becomes the device's only after the calls were asked how they stand, so that nothing
   * rings before `registered`, and what rings is known to ring.
   */
  async register(socket: WebSocket, message: Register): Promise<ServerMessage[]> {
    const { deviceId, id, since } = message;
    const asked = await this.#askCalls(deviceId);
    const { user, step } = this.#core;
    step({ type: "profile", profile: profileOf(attachment(socket).identity, user().profile) });
    const verdict = step({ type: "register", device: message });
    if (verdict.kind === "refused") return [errorMessage(verdict.refusal, id)];
    if (!this.#sockets.register(socket, deviceId)) return [];
    // What has changed while the calls were asked is in the state by now.
    const live = Object.values(user().calls).flatMap((view) => view ?? []);
    const ended = byCall([...endedSince(user(), since), ...asked.filter(({ state }) => state === "ended")]);
    const views = [...live, ...ended];
    const isSilent = user().devices[deviceId]?.doNotDisturb ?? false;
    const now = Date.now();
    const rung = isSilent ? [] : views.filter((view) => isRungLate(view, deviceId, now));
    for (const view of views) if (!isSilent || !rings(view.state)) this.#sockets.markTold(socket, view);
    const isEngaged = live.some((view) => view.joined.includes(deviceId));
    const snapshots = views.map((view) => snapshotOf(view, now));
    return [
      registered({ userId: user().userId, deviceId }, id, user().rev, snapshots),
      ...views.flatMap((view) => recover(view, deviceId)),
      ...rung.flatMap((view) => incoming(view, isEngaged, now)),
    ];
  }

  async #askCalls(deviceId: string): Promise<CallView[]> {
    const { user, step } = this.#core;
    const device = { userId: user().userId, deviceId };
    const mayRing = !(user().devices[deviceId]?.doNotDisturb ?? false);
    const asked = Object.keys(user().calls).map(async (callId) => {
      try {
        const view = await this.#calls.getByName(callId).attend(device, mayRing);
        step(view ? { type: "call_changed", view } : { type: "call_unknown", callId });
        return view;
      } catch (error) {
        // One call that cannot be asked keeps nobody from being rung for the others.
        log("call_unreachable", { call: short(callId), failure: failure(error) });
        return null;
      }
    });
    const views = await Promise.all(asked);
    return views.flatMap((view) => view ?? []);
  }
}

/** A device that connects while its user is rung rings too, if there is time to react, and it has not been silenced. */
function isRungLate(view: CallView, deviceId: string, now: number): boolean {
  const isRinging = view.role === "callee" && rings(view.state) && !view.dismissed.includes(deviceId);
  return isRinging && view.ringUntil - now >= LATE_RING_MIN_MS;
}

function byCall(views: readonly CallView[]): CallView[] {
  return [...new Map(views.map((view) => [view.callId, view])).values()];
}

/** Everybody is called something: a user without a row would have calls without a history. */
function profileOf({ userId, name, avatarUrl }: Identity, known: Profile | null): Profile {
  return {
    name: name ?? known?.name ?? `User ${short(userId)}`,
    avatarUrl: avatarUrl ?? known?.avatarUrl ?? null,
  };
}
