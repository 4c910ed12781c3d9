import type { CallState } from "../../../schema/call.ts";
import { type Command, create, type Event, type Speaker, step, type Verdict } from "../../../workers/call/call.ts";
import type { Call } from "../../../workers/call/state.ts";

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

/** Steps a call through a script, keeping the verdicts. */
export class CallScript {
  call: Call;
  now = T0;
  verdict: Verdict = { kind: "done" };

  constructor() {
    this.call = create(
      {
        callId: "01890000-0000-7000-8000-000000000001",
        callType: "video",
        caller: { ...ADAS_PHONE, name: "Ada" },
        callees: [BOB],
        offer: "offer",
      },
      T0,
    );
  }

  event(event: Event, after = 0): this {
    this.now += after;
    const next = step(this.call, event, this.now);
    this.call = next.call;
    this.verdict = next.verdict;
    return this;
  }

  rung(devices = [PHONE, TABLET, LAPTOP], state: CallState = "reaching"): this {
    const deviceIds = devices.map((device) => device.deviceId);
    return this.event({ type: "delivered", userId: BOB, state, name: "Bob", devices: deviceIds });
  }

  says(from: Speaker, command: Command, after = 0): this {
    return this.event({ type: "command", from, command }, after);
  }

  answers(from = PHONE, after = 0): this {
    return this.says(from, { type: "answer", sdp: "answer" }, after);
  }

  media(from = PHONE, state: "connected" | "failed" | "recovering" = "connected"): this {
    return this.says(from, { type: "media", state });
  }

  declines(from = PHONE, reason: "declined" | "busy" | "ignored" = "declined"): this {
    return this.says(from, { type: "decline", reason });
  }

  alerts(from = PHONE): this {
    return this.says(from, { type: "alerting" });
  }

  hangsUp(from: { userId: string; deviceId: string } = ADAS_PHONE, after = 0): this {
    return this.says(from, { type: "end" }, after);
  }

  alarm(after: number, lastSignAt = 0): this {
    return this.event({ type: "alarm", lastSignAt }, after);
  }
}

export function script(): CallScript {
  return new CallScript();
}
