import type { CallView, Silence } from "../call/state.ts";
import { rings } from "../call/told.ts";
import { failure, log, short } from "../log.ts";
import type { Taken } from "../rpc.ts";
import { isOld, isOverrun, outgoingTo } from "./calls.ts";
import type { Core } from "./core.ts";
import type { Privacy } from "./privacy.ts";
import { type Pushes, pushable } from "./pushes.ts";
import { isKnown } from "./user.ts";
import { attachment, type UserSockets } from "./user-sockets.ts";

/** How often a call is asked whether it rings before what is remembered is taken for true. */
const ATTEMPTS = 3;

/** Takes what the user's calls have become, and has the devices told: over their sockets, or by push. */
export class Ringing {
  readonly #sockets: UserSockets;
  readonly #pushes: Pushes;
  readonly #privacy: Privacy;
  readonly #core: Core;

  constructor(sockets: UserSockets, pushes: Pushes, privacy: Privacy, core: Core) {
    this.#sockets = sockets;
    this.#pushes = pushes;
    this.#privacy = privacy;
    this.#core = core;
  }

  async take(view: CallView): Promise<Taken> {
    const user = this.#core.user();
    const known = user.calls[view.callId];
    const untold = { isKnown: true, name: user.profile?.name ?? null, rung: [], pushed: [], hasIdleDevices: false };
    if (view.role === "callee" && !isKnown(user)) return { ...untold, isKnown: false, silence: "none" };
    const silence = view.role === "callee" && !known ? this.#silenceFor(view) : "none";
    if (silence !== "none" && rings(view.state)) await this.#turnAway(view);
    if (silence !== "none" || isOld(user, view)) return { ...untold, silence };
    const pushed = user.pushed[view.callId];
    this.#core.step({ type: "call_changed", view });
    this.announce(view);
    if (view.role === "callee" && rings(view.state)) return { ...untold, ...(await this.#ring(view)) };
    if (pushed) await this.#tellPushed(view, pushed);
    return { ...untold, silence, hasIdleDevices: this.#sockets.devices().some((id) => !view.joined.includes(id)) };
  }

  /**
   * Tells the devices. A call of the user's has kept one from being rung by the same person, until it is over or known
   * not to come through.
   */
  announce(view: CallView): void {
    if (view.ended?.mergedInto) this.#goOnIn(view.ended.mergedInto.callId, view.callId);
    this.#tell(view);
    const isInTheWay = view.state !== "ended" && view.mayMerge;
    if (view.role === "callee" || isInTheWay) return;
    const others = Object.values(this.#core.user().calls).flatMap((other) => other ?? []);
    const rung = others.filter(({ role, state }) => role === "callee" && rings(state));
    for (const { callId } of rung) this.#core.waitUntil(this.#announceAgain(callId));
  }

  /** That a call is over is only remembered, so one that seems to ring may have ended before an eviction: it is asked. */
  async #announceAgain(callId: string): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (await this.#ask(callId)) break;
    }
    const known = this.#core.user().calls[callId];
    if (known) this.#tell(known);
  }

  async #ask(callId: string): Promise<boolean> {
    try {
      await this.#core.look(callId);
      return true;
    } catch (error) {
      log("call_unreachable", { call: short(callId), failure: failure(error) });
      return false;
    }
  }

  #tell(view: CallView): void {
    const ours = outgoingTo(this.#core.user(), view.caller.userId);
    this.#sockets.announce(view, (deviceId) => this.#isSilent(deviceId), ours, Date.now());
  }

  /** Noted once it is asked for, so that a crash asks again. The call may have ended while the queue was answering. */
  async #hasPushed(view: CallView, pushed: readonly string[]): Promise<void> {
    const isRinging = rings(this.#core.user().calls[view.callId]?.state);
    if (isRinging) this.#core.step({ type: "pushed", callId: view.callId, deviceIds: pushed });
    else await this.#pushes.notice(view, pushed);
  }

  /** Once: whatever the call becomes after its ringing, those who were pushed are told no more of it. */
  async #tellPushed(view: CallView, pushed: readonly string[]): Promise<void> {
    this.#core.step({ type: "pushed", callId: view.callId, deviceIds: [] });
    await this.#pushes.notice(view, pushed);
  }

  /** The device whose call was merged is sent to the other one, and so is not rung for it. */
  #goOnIn(into: string, merged: string): void {
    const view = this.#core.user().calls[into];
    for (const { socket } of this.#sockets.registered()) {
      if (view && attachment(socket).told[merged]?.isIn) this.#sockets.markTold(socket, view);
    }
  }

  /** Over their sockets the devices were told; the others are pushed, once. */
  async #ring(view: CallView): Promise<Pick<Taken, "rung" | "pushed" | "silence" | "hasIdleDevices">> {
    const user = this.#core.user();
    const connected = this.#sockets.devices();
    const rung = connected.filter((deviceId) => !this.#isSilent(deviceId));
    const pushed = pushable(user);
    if (pushed.length > 0 && !user.pushed[view.callId]) {
      await this.#pushes.ring(view, pushed, connected);
      await this.#hasPushed(view, pushed);
    }
    const wantsQuiet = Object.values(user.devices).some(({ doNotDisturb }) => doNotDisturb);
    const isSilent = rung.length === 0 && pushed.length === 0 && wantsQuiet;
    return {
      rung,
      pushed: pushed.filter((deviceId) => !rung.includes(deviceId)),
      silence: isSilent ? "quiet" : "none",
      hasIdleDevices: connected.length > 1,
    };
  }

  #silenceFor(view: CallView): Silence {
    const silence = this.#privacy.silenceFor(view);
    return silence === "none" && isOverrun(this.#core.user(), Date.now()) ? "silent" : silence;
  }

  /**
   * Nobody hears of the call, and it takes as long as if somebody did: what is written and queued to ring is so here
   * too. Its caller would else know by the time that the reply takes.
   */
  async #turnAway(view: CallView): Promise<void> {
    const { user, step } = this.#core;
    step({ type: "turned_away" });
    const pushed = pushable(user());
    if (pushed.length === 0) return;
    await this.#pushes.ring(view, pushed, this.#sockets.devices(), true);
    step({ type: "turned_away" });
  }

  #isSilent(deviceId: string): boolean {
    return this.#core.user().devices[deviceId]?.doNotDisturb ?? false;
  }
}
