import type { PushPurpose } from "../../schema/ledger.ts";
import { LATE_RING_MIN_MS } from "../../schema/limits.ts";
import type { NoticePayload, PushRequest, PushTarget } from "../../schema/push.ts";
import type { CallView } from "../call/state.ts";
import { rings } from "../call/told.ts";

/** What is said to whom when a push is due, by what the call is then: a push never lies. Pure. */

export type Decision =
  /** @property until Unix ms: when the ringing ends */
  | { readonly kind: "ring"; readonly target: PushTarget; readonly until: number }
  | {
      readonly kind: "notice";
      readonly target: PushTarget;
      readonly notice: NoticePayload["type"];
      readonly until: number;
    }
  /** It would have rung, but there is nothing to ring for any more. Its user's object asks for the notice. */
  | { readonly kind: "expired"; readonly target: PushTarget };

/** A missed call is worth knowing of the next morning. */
const MISSED_KEPT_MS = 24 * 3_600_000;
/** The rest only takes back what a push has shown. */
const OTHERS_KEPT_MS = 3_600_000;

/**
 * @param view the call as it is for the user; null for one that is not known any more
 * @param now Unix ms
 */
export function plan(
  purpose: PushPurpose,
  view: CallView | null,
  targets: readonly PushTarget[],
  now: number,
): Decision[] {
  const others = targets.filter(({ deviceId }) => !view || ![...view.joined, ...view.former].includes(deviceId));
  switch (purpose) {
    case "ring":
      return others
        .filter(({ deviceId }) => !view?.reacted.includes(deviceId))
        .map((target) =>
          view && mayRing(view, now) ? { kind: "ring", target, until: view.ringUntil } : { kind: "expired", target },
        );
    case "notice":
      return view ? notices(view, others, now) : [];
  }
}

/** With less than that left nobody can react in time. */
function mayRing(view: CallView, now: number): boolean {
  return view.role === "callee" && rings(view.state) && view.ringUntil - now >= LATE_RING_MIN_MS;
}

/** Each VoIP push must become a ringing call on an iPhone, so none may say that there is no call. */
function notices(view: CallView, targets: readonly PushTarget[], now: number): Decision[] {
  if (rings(view.state)) return [];
  const notice = noticeOf(view);
  const until = now + (notice === "missed_call" ? MISSED_KEPT_MS : OTHERS_KEPT_MS);
  const told = targets.filter(({ push }) => push.provider !== "apns_voip");
  return told.map((target) => ({ kind: "notice", target, notice, until }));
}

function noticeOf({ userId, state, answer, joined, ended }: CallView): NoticePayload["type"] {
  if (state !== "ended" || joined.length > 0 || answer?.by.userId === userId) return "answered_elsewhere";
  if (!ended || ended.mergedInto) return "call_over";
  switch (ended.outcome) {
    case "missed":
    case "cancelled":
    case "busy":
    case "unreachable":
      return "missed_call";
    case "declined":
    case "completed":
    case "failed":
    case "blocked":
      return "call_over";
  }
}

/** The same request for one device, for its next try. */
export function again(request: PushRequest, deviceId: string): PushRequest {
  return { ...request, deviceIds: [deviceId], attempts: request.attempts + 1 };
}
