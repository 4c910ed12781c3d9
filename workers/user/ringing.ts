import type { CallView } from "../call/state.ts";
import { rings } from "../call/told.ts";
import type { Taken } from "../rpc.ts";
import { outgoingTo } from "./calls.ts";
import type { Privacy } from "./privacy.ts";
import { type Pushes, pushable } from "./pushes.ts";
import type { User } from "./state.ts";
import { type Event, isKnown } from "./user.ts";
import { attachment, type UserSockets } from "./user-sockets.ts";

interface Source {
  readonly user: () => User;
  readonly step: (event: Event) => unknown;
}

/** Takes what the user's calls have become, and has the devices told: over their sockets, or by push. */
export class Ringing {
  readonly #sockets: UserSockets;
  readonly #pushes: Pushes;
  readonly #privacy: Privacy;
  readonly #source: Source;

  constructor(sockets: UserSockets, pushes: Pushes, privacy: Privacy, source: Source) {
    this.#sockets = sockets;
    this.#pushes = pushes;
    this.#privacy = privacy;
    this.#source = source;
  }

  async take(view: CallView): Promise<Taken> {
    const user = this.#source.user();
    const known = user.calls[view.callId];
    const untold = { isKnown: true, name: user.profile?.name ?? null, rung: [], pushed: [], hasIdleDevices: false };
    if (view.role === "callee" && !isKnown(user)) return { ...untold, isKnown: false, silence: "none" };
    const silence = view.role === "callee" && !known ? this.#privacy.silenceFor(view) : "none";
    if (silence !== "none" || (known && known.rev > view.rev)) return { ...untold, silence };
    const pushed = user.pushed[view.callId];
    this.#source.step({ type: "call_changed", view });
    this.announce(view);
    if (view.role === "callee" && rings(view.state)) return { ...untold, ...(await this.#ring(view)) };
    if (pushed) await this.#tellPushed(view, pushed);
    return { ...untold, silence, hasIdleDevices: this.#sockets.devices().some((id) => !view.joined.includes(id)) };
  }

  /** Tells the devices. A call of the user's that is over may have kept one from being rung by the same person. */
  announce(view: CallView): void {
    const isOver = view.state === "ended";
    if (isOver && view.ended?.mergedInto) this.#goOnIn(view.ended.mergedInto.callId, view.callId);
    const calls = isOver ? Object.values(this.#source.user().calls) : [];
    for (const each of [view, ...calls.filter((other) => other?.role === "callee" && rings(other.state))]) {
      if (!each) continue;
      const ours = outgoingTo(this.#source.user(), each.caller.userId);
      this.#sockets.announce(each, (deviceId) => this.#isSilent(deviceId), ours, Date.now());
    }
  }

  /** Noted once it is asked for, so that a crash asks again. The call may have ended while the queue was answering. */
  async #hasPushed(view: CallView, pushed: readonly string[]): Promise<void> {
    const isRinging = rings(this.#source.user().calls[view.callId]?.state);
    if (isRinging) this.#source.step({ type: "pushed", callId: view.callId, deviceIds: pushed });
    else await this.#pushes.notice(view, pushed);
  }

  /** Once: whatever the call becomes after its ringing, those who were pushed are told no more of it. */
  async #tellPushed(view: CallView, pushed: readonly string[]): Promise<void> {
    this.#source.step({ type: "pushed", callId: view.callId, deviceIds: [] });
    await this.#pushes.notice(view, pushed);
  }

  /** The device whose call was merged is sent to the other one, and so is not rung for it. */
  #goOnIn(into: string, merged: string): void {
    const view = this.#source.user().calls[into];
    for (const { socket } of this.#sockets.registered()) {
      if (view && attachment(socket).told[merged]?.isIn) this.#sockets.markTold(socket, view);
    }
  }

  /** Over their sockets the devices were told; the others are pushed, once. */
  async #ring(view: CallView): Promise<Pick<Taken, "rung" | "pushed" | "silence" | "hasIdleDevices">> {
    const user = this.#source.user();
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
      silence: isSilent ? "silent" : "none",
      hasIdleDevices: connected.length > 1,
    };
  }

  #isSilent(deviceId: string): boolean {
    return this.#source.user().devices[deviceId]?.doNotDisturb ?? false;
  }
}
