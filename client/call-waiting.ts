import type { Call } from "./call.ts";
import { isAnswered } from "./call-state.ts";
import type { Calls } from "./calls.ts";
import type { MediaChoice } from "./media.ts";

/** More than one call on this device: at most one of them is talked in. */

export async function endAndAccept(calls: Calls, call: Call, choice: MediaChoice): Promise<void> {
  const { active, held } = calls;
  const ended = active.length > 0 ? active : held.slice(0, 1);
  // First: a device that is answering goes on with no call on hold.
  const answered = call.answer(choice);
  for (const other of ended) other.hangUp();
  await answered;
}

export async function holdAndAccept(calls: Calls, call: Call, choice: MediaChoice): Promise<void> {
  const { active } = calls;
  const answered = call.answer(choice);
  const held = active.map((other) => (isAnswered(other.phase) ? other.hold(true) : other.hangUp()));
  await Promise.all([answered, ...held]);
}

export async function switchTo({ active }: Calls, held: Call): Promise<void> {
  await Promise.all([...active.map((other) => other.hold(true)), held.hold(false)]);
}

/** Its user has hung up. As on phones: when the other one does, a call on hold waits for its user's tap. */
export function resumeHeld({ active, held: [last] }: Calls): void {
  if (active.length === 0) void last?.hold(false);
}

/** Those on hold first: else one after the other would go on. */
export function hangUpAll({ active, held }: Calls): void {
  for (const call of [...held, ...active]) call.hangUp();
}
