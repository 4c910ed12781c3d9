import * as z from "zod";
import { CallType, EndReason, Outcome } from "./call.ts";
import { CallId, DeviceId, Timestamp, UserId } from "./ids.ts";

/**
 * What happened in a call, in the order in which it was decided: one entry for each revision, without a gap, so
 * that the outcome can be derived from them.
 */

const entry = { rev: z.int().positive(), at: Timestamp };
/** A device is left out for whom it is none of their business, and where none was said: declined over HTTP. */
const Actor = z.object({ userId: UserId, deviceId: DeviceId.optional() });
const By = { by: Actor };

export const LogEntry = z.discriminatedUnion("kind", [
  z.object({ ...entry, kind: z.literal("initiated"), ...By, callType: CallType, calleeIds: z.array(UserId) }),
  z.object({ ...entry, kind: z.literal("invited"), ...By, calleeIds: z.array(UserId) }),
  /** The first device that alerts; of the others only the number changes. */
  z.object({ ...entry, kind: z.literal("alerting"), ...By }),
  z.object({ ...entry, kind: z.literal("answered"), ...By }),
  z.object({ ...entry, kind: z.literal("declined"), ...By }),
  z.object({ ...entry, kind: z.literal("ignored"), ...By }),
  z.object({ ...entry, kind: z.literal("busy"), ...By }),
  /** The ring of one member of a group ran out. */
  z.object({ ...entry, kind: z.literal("missed"), userId: UserId }),
  z.object({ ...entry, kind: z.literal("media"), ...By, state: z.enum(["connected", "recovering", "failed"]) }),
  z.object({ ...entry, kind: z.literal("held"), ...By, on: z.boolean() }),
  z.object({ ...entry, kind: z.literal("handoff_started"), ...By, fromDeviceId: DeviceId.optional() }),
  z.object({ ...entry, kind: z.literal("handed_off"), ...By, fromDeviceId: DeviceId.optional() }),
  z.object({ ...entry, kind: z.literal("handoff_failed"), ...By, fromDeviceId: DeviceId.optional() }),
  /** The calling device has no socket any more, or has one again. */
  z.object({ ...entry, kind: z.literal("caller_lost"), ...By }),
  z.object({ ...entry, kind: z.literal("caller_back"), ...By }),
  z.object({ ...entry, kind: z.literal("left"), ...By }),
  z.object({
    ...entry,
    kind: z.literal("ended"),
    by: Actor.nullable(),
    /** Null for a call that was merged into another. */
    outcome: Outcome.nullable(),
    reason: EndReason,
    mergedInto: CallId.optional(),
  }),
]);
export type LogEntry = z.infer<typeof LogEntry>;
