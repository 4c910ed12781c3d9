import type { CallEvent, DeviceEvent, PushEvent, UserEvent } from "../../schema/ledger.ts";

/** Events of the ledger as the objects send them; a test names what it is about. */

let ids = 0;

/** A UUID that no other test has, and that sorts after the ones before it. */
export function nextId(): string {
  return `00000000-0000-4000-8000-${(++ids).toString(16).padStart(12, "0")}`;
}

/** The given second of one hour. */
export function at(seconds: number): string {
  return new Date(Date.UTC(2026, 0, 1, 12, 0, seconds)).toISOString();
}

export function userEvent(user: Partial<UserEvent> = {}): UserEvent {
  return { kind: "user", userId: nextId(), rev: 1, name: "Ann", avatarUrl: null, ...user };
}

export function deviceEvent(device: Partial<DeviceEvent> & Pick<DeviceEvent, "userId">): DeviceEvent {
  return {
    kind: "device",
    deviceId: nextId(),
    rev: 1,
    deviceType: "Web",
    pushToken: null,
    isActive: true,
    connectedAt: at(0),
    lastSeen: null,
    ...device,
  };
}

export function pushEvent(push: Partial<PushEvent> & Pick<PushEvent, "callId" | "userId">): PushEvent {
  return {
    kind: "push",
    deviceId: nextId(),
    provider: "fcm",
    purpose: "ring",
    at: at(1),
    attempts: 1,
    result: "accepted",
    status: 200,
    ...push,
  };
}

/** Who calls whom, with which devices. */
export interface Cast {
  readonly callId: string;
  readonly caller: string;
  readonly callerDevice: string;
  readonly callee: string;
  readonly calleeDevice: string;
}

export function cast(people: Pick<Cast, "caller" | "callee">): Cast {
  return { callId: nextId(), callerDevice: nextId(), calleeDevice: nextId(), ...people };
}

const participant = { outcome: null, deviceId: null, joinedAt: null, leftAt: null, devices: [], legs: [] };

export function ringing({ callId, caller, callerDevice, callee }: Cast, createdAt = at(0)): CallEvent {
  return {
    kind: "call",
    callId,
    rev: 1,
    callType: "video",
    initiatorId: caller,
    state: "ringing",
    outcome: null,
    reason: null,
    answeredBy: null,
    createdAt,
    connectedAt: null,
    endedAt: null,
    durationSeconds: null,
    participants: [
      { ...participant, userId: caller, state: "joined", deviceId: callerDevice },
      { ...participant, userId: callee, state: "invited" },
    ],
    log: [
      {
        rev: 1,
        at: createdAt,
        kind: "initiated",
        by: { userId: caller, deviceId: callerDevice },
        callType: "video",
        calleeIds: [callee],
      },
    ],
  };
}

export function answered(people: Cast, createdAt = at(0)): CallEvent {
  const { caller, callerDevice, callee, calleeDevice } = people;
  const joinedAt = at(5);
  const stay = (deviceId: string) => ({ deviceId, joinedAt, devices: [{ deviceId, joinedAt, leftAt: null }] });
  const before = ringing(people, createdAt);
  return {
    ...before,
    rev: 2,
    state: "connected",
    answeredBy: calleeDevice,
    connectedAt: joinedAt,
    participants: [
      { ...participant, userId: caller, state: "joined", ...stay(callerDevice) },
      {
        ...participant,
        userId: callee,
        state: "joined",
        ...stay(calleeDevice),
        legs: [{ deviceId: calleeDevice, state: "answered" }],
      },
    ],
    log: [...before.log, { rev: 2, at: joinedAt, kind: "answered", by: { userId: callee, deviceId: calleeDevice } }],
  };
}

export function ended(people: Cast, createdAt = at(0)): CallEvent {
  const before = answered(people, createdAt);
  const leftAt = at(65);
  return {
    ...before,
    rev: 3,
    state: "ended",
    outcome: "completed",
    reason: "hung_up",
    endedAt: leftAt,
    durationSeconds: 60,
    log: [
      ...before.log,
      {
        rev: 3,
        at: leftAt,
        kind: "ended",
        by: { userId: people.caller, deviceId: people.callerDevice },
        outcome: "completed",
        reason: "hung_up",
      },
    ],
    participants: before.participants.map((who) => ({
      ...who,
      state: "left",
      outcome: "completed",
      leftAt,
      devices: who.devices.map((stay) => ({ ...stay, leftAt })),
    })),
  };
}

/** Both called each other, and the call in the other direction goes on. */
export function merged(people: Cast): CallEvent {
  const before = ringing(people);
  const over = { outcome: null, reason: "glare_merged" as const };
  return {
    ...before,
    ...over,
    rev: 2,
    state: "ended",
    endedAt: at(1),
    participants: before.participants.map((who) => ({ ...who, state: "left" })),
    log: [...before.log, { rev: 2, at: at(1), kind: "ended", by: null, mergedInto: nextId(), ...over }],
  };
}
