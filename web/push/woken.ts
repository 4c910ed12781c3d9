import * as z from "zod";
import { CallId, UserId } from "../../schema/ids.ts";

/** What the service worker tells a window when a call's notification was pressed. */
export const Woken = z.object({ callId: CallId, userId: UserId, answer: z.boolean() });
export type Woken = z.infer<typeof Woken>;

/** Of a window that was opened for a call; null for any other. */
export function wokenByAddress(): Pick<Woken, "callId" | "answer"> | null {
  const query = new URLSearchParams(location.search);
  const callId = CallId.safeParse(query.get("call")).data;
  return callId === undefined ? null : { callId, answer: query.has("answer") };
}
