import type { CallType } from "../../../schema/call.ts";
import type { DeviceRef } from "../../../schema/ids.ts";
import { create, step } from "../../../workers/call/call.ts";
import type { Command, Event, MediaState, Speaker, Verdict } from "../../../workers/call/events.ts";
import type { Call, CallView, Silence, Told } from "../../../workers/call/state.ts";
import { toldOf } from "../../../workers/call/told.ts";
import { viewFor } from "../../../workers/call/view.ts";

/** A call between Ada, who calls, and Bob, who has a phone, a tablet and a laptop. */
export const ADA = "00000000-0000-4000-8000-00000000000a";
export const BOB = "00000000-0000-4000-8000-00000000000b";
export const EVE = "00000000-0000-4000-8000-00000000000e";
export const ADAS_PHONE = { userId: ADA, deviceId: "00000000-0000-4000-8000-0000000000a1" };
export const ADAS_TABLET = { userId: ADA, deviceId: "00000000-0000-4000-8000-0000000000a2" };
export const PHONE = { userId: BOB, deviceId: "00000000-0000-4000-8000-0000000000b1" };
export const TABLET = { userId: BOB, deviceId: "00000000-0000-4000-8000-0000000000b2" };
export const LAPTOP = { userId: BOB, deviceId: "00000000-0000-4000-8000-0000000000b3" };
export const EVES_PHONE = { userId: EVE, deviceId: "00000000-0000-4000-8000-0000000000e1" };
export const T0 = 1_700_000_000_000;

export const CID = "00000000-0000-4000-8000-00000000000c";
export const CIDS_PHONE = { userId: CID, deviceId: "00000000-0000-4000-8000-0000000000c1" };
export const CIDS_TABLET = { userId: CID, deviceId: "00000000-0000-4000-8000-0000000000c2" };
export const CALL_ID = "01890000-0000-7000-8000-000000000001";

/** Steps a call through a script, keeping the verdicts. */
export class CallScript {
  call: Call;
  now = T0;
  verdict: Verdict = { kind: "done" };

  constructor(callees: readonly string[], callType: CallType) {
    const caller = { ...ADAS_PHONE, name: "Ada" };
    this.call = create({ callId: CALL_ID, callType, caller, callees, offer: "offer", hasIdleDevices: false }, T0);
  }

  view(userId: string = ADA): CallView {
    const view = viewFor(this.call, userId, []);
    if (!view) throw new Error("the user has no part in the call");
    return view;
  }

  event(event: Event, after = 0): this {
    this.now += after;
    const next = step(this.call, event, this.now);
    this.call = next.call;
    this.verdict = next.verdict;
    return this;
  }

  rung(devices: readonly DeviceRef[] = [PHONE, TABLET, LAPTOP], silence: Silence = "none"): this {
    const userId = devices[0]?.userId ?? BOB;
    const told: Told = toldOf(this.view(userId));
    const rung = devices.map(({ deviceId }) => deviceId);
    const name = userId === BOB ? "Bob" : "Cid";
    const hasIdleDevices = devices.length > 1;
    return this.event({ type: "delivered", userId, told, name, rung, pushed: [], silence, hasIdleDevices });
  }

  pushed(devices: readonly DeviceRef[] = [PHONE]): this {
    const told: Told = toldOf(this.view(BOB));
    const pushed = devices.map(({ deviceId }) => deviceId);
    const none = { rung: [], silence: "none" as const, hasIdleDevices: false };
    return this.event({ type: "delivered", userId: BOB, told, name: "Bob", pushed, ...none });
  }

  says(from: Speaker, command: Command, after = 0): this {
    return this.event({ type: "command", from, command }, after);
  }

  answers(from = PHONE, after = 0): this {
    return this.says(from, { type: "answer", sdp: "answer", join: false }, after);
  }

  media(from = PHONE, state: MediaState = "connected", after = 0): this {
    return this.says(from, { type: "media", state }, after);
  }

  declines(from = PHONE, reason: "declined" | "busy" | "ignored" = "declined"): this {
    return this.says(from, { type: "decline", reason });
  }

  /** Over HTTP, without saying on which device. */
  declinesWhole(userId = BOB): this {
    return this.event({ type: "declined", userId });
  }

  /** The device connects while its user may be rung. */
  comes(device: DeviceRef): this {
    return this.event({ type: "connected", device, mayRing: true });
  }

  alerts(from = PHONE): this {
    return this.says(from, { type: "alerting" });
  }

  hangsUp(from: { userId: string; deviceId: string } = ADAS_PHONE, after = 0): this {
    return this.says(from, { type: "end" }, after);
  }

  takesOver(from: DeviceRef, after = 0, sdp: string | null = "second offer"): this {
    return this.says(from, { type: "handoff", sdp, to: null, connectionId: null }, after);
  }

  invites(callees: readonly string[], from: DeviceRef = ADAS_PHONE): this {
    return this.says(from, { type: "invite", callees });
  }

  alarm(after: number, lastSignAt = 0, isCallerThere = true): this {
    return this.event({ type: "alarm", lastSignAt, isCallerThere }, after);
  }
}

export function script(): CallScript {
  return new CallScript([BOB], "video");
}

/** Ada rings Bob and Cid. */
export function groupScript(): CallScript {
  return new CallScript([BOB, CID], "group");
}
