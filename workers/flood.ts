import { FLOOD_RATE, FLOOD_SECONDS } from "../schema/limits.ts";

/** The messages of one socket within a second, and how many seconds on end there were too many. */
export interface Window {
  readonly second: number;
  readonly messages: number;
  readonly seconds: number;
}

/** Counts a message. Pure. */
export function counted(window: Window | undefined, now: number): Window {
  const second = Math.floor(now / 1000);
  if (!window) return { second, messages: 1, seconds: 0 };
  if (window.second === second) {
    const messages = window.messages + 1;
    return { ...window, messages, seconds: messages === FLOOD_RATE + 1 ? window.seconds + 1 : window.seconds };
  }
  const isOnEnd = window.second === second - 1 && window.messages > FLOOD_RATE;
  return { second, messages: 1, seconds: isOnEnd ? window.seconds : 0 };
}

export function isFlood({ seconds }: Window): boolean {
  return seconds >= FLOOD_SECONDS;
}
