import { failure, log } from "../log.ts";
import type { Answer } from "./provider.ts";

/** Longer takes from the ring, which the retry has to fit in. */
const ANSWER_MS = 5_000;
const NO_ANSWER = { status: null, retryAfter: null, text: "" };

export interface PostAnswer extends Answer {
  /** Empty unless it was asked for. */
  readonly text: string;
}

/** Follows no redirect: where a push goes is what was checked, not what a server says next. */
export async function post(url: string | URL, init: RequestInit, keepsBody: boolean): Promise<PostAnswer> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  try {
    const response = await fetch(url, { ...init, method: "POST", redirect: "manual", signal });
    const text = keepsBody ? await response.text() : "";
    if (!keepsBody) await response.body?.cancel();
    return { status: response.status, retryAfter: response.headers.get("retry-after"), text };
  } catch (error) {
    log("push_unanswered", { failure: failure(error) });
    return NO_ANSWER;
  }
}
