import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import {
  type Call,
  errorCode,
  type HistoryEntry,
  type Switchboard,
  type SwitchboardErrorCode,
} from "../../client/index.ts";
import { extended, type Loaded, refreshed, withEnds } from "../history.ts";
import { isMissed } from "../text.ts";
import { useRefresh } from "./use-refresh.ts";

export interface History {
  /** Newest first; null until it has been read once. */
  readonly calls: readonly HistoryEntry[] | null;
  readonly error: SwitchboardErrorCode | null;
  readonly missed: number;
  readonly hasMore: boolean;
  readonly loadMore: () => void;
  /** Takes a call out of the user's own history for good. */
  readonly remove: (callId: string) => void;
  readonly markSeen: () => void;
}

const REFRESH_MS = 30_000;
/** A call that goes on, maybe in another window, is news soon. */
const REFRESH_LIVE_MS = 3_000;
/** The history is written behind the call: it is there a moment after the end. */
const AFTER_CALL_MS = [400, 1_500, 4_000];

/** @param ended calls that have ended in this window: how is known here before the history knows */
export function useHistory(switchboard: Switchboard, userId: string, ended: readonly Call[]): History {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [error, setError] = useState<SwitchboardErrorCode | null>(null);
  const [seenAt, markSeen] = useSeen(userId);

  const load = useCallback(
    async (cursor?: string) => {
      try {
        const page = await switchboard.api.history(cursor === undefined ? {} : { cursor });
        const join = cursor === undefined ? refreshed : extended;
        setLoaded((before) => (before ? join(before, page) : page));
        setError(null);
      } catch (failure) {
        setError(errorCode(failure));
      }
    },
    [switchboard],
  );
  const refresh = useCallback(() => load(), [load]);
  const isLive = loaded?.calls.some(({ outcome }) => outcome === null) ?? false;
  useRefresh(refresh, isLive ? REFRESH_LIVE_MS : REFRESH_MS);
  useAfterCalls(switchboard, ended, refresh);

  const remove = (callId: string) => {
    switchboard.api.removeFromHistory(callId).then(
      () => setLoaded((before) => before && { ...before, calls: before.calls.filter(({ id }) => id !== callId) }),
      (failure: unknown) => setError(errorCode(failure)),
    );
  };

  const calls = loaded && withEnds(loaded.calls, ended);
  const cursor = loaded?.nextCursor ?? null;
  return {
    calls,
    error,
    missed: (calls ?? []).filter((call) => isMissed(call) && call.createdAt > seenAt).length,
    hasMore: cursor !== null,
    loadMore: () => void (cursor !== null && load(cursor)),
    remove,
    markSeen,
  };
}

/** Runs `refresh` when a call has ended, in this window or on another device. */
function useAfterCalls(switchboard: Switchboard, ended: readonly Call[], refresh: () => Promise<void>): void {
  const timers = useRef<ReturnType<typeof setTimeout>[]>([]);
  const soon = useCallback(() => {
    timers.current.forEach(clearTimeout);
    timers.current = AFTER_CALL_MS.map((delay) => setTimeout(refresh, delay));
  }, [refresh]);
  useEffect(() => {
    if (ended.length > 0) soon();
  }, [ended, soon]);
  useEffect(() => switchboard.elsewhere.subscribe(soon), [switchboard, soon]);
  useEffect(() => () => timers.current.forEach(clearTimeout), []);
}

/** Up to when missed calls have been looked at, in every window of this user. */
function useSeen(userId: string): [string, () => void] {
  const key = `switchboard.seen.${userId}`;
  const [seenAt, setSeenAt] = useState(() => localStorage.getItem(key) ?? "");
  useEffect(() => {
    const follow = (event: StorageEvent) => {
      if (event.key === key) setSeenAt(event.newValue ?? "");
    };
    addEventListener("storage", follow);
    return () => removeEventListener("storage", follow);
  }, [key]);
  const markSeen = useCallback(() => {
    const now = new Date().toISOString();
    localStorage.setItem(key, now);
    setSeenAt(now);
  }, [key]);
  return [seenAt, markSeen];
}
