import { useCallback, useEffect, useState } from "preact/hooks";
import { errorCode, type HistoryEntry, type Switchboard, type SwitchboardErrorCode } from "../../client/index.ts";
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

interface Loaded {
  readonly calls: readonly HistoryEntry[];
  readonly nextCursor: string | null;
}

const REFRESH_MS = 30_000;
/** A call that goes on, maybe in another window, is news soon. */
const REFRESH_LIVE_MS = 3_000;
/** The history is written behind the call: it is there a moment after the end. */
const AFTER_CALL_MS = [400, 1_500, 4_000];

/** @param ended how many calls have ended in this window: each means a new entry */
export function useHistory(switchboard: Switchboard, userId: string, ended: number): History {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [error, setError] = useState<SwitchboardErrorCode | null>(null);
  const [seenAt, markSeen] = useSeen(userId);

  const load = useCallback(
    async (cursor?: string) => {
      try {
        const page = await switchboard.api.history(cursor === undefined ? {} : { cursor });
        setLoaded((before) => (before ? merged(before, page, cursor !== undefined) : page));
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
  useEffect(() => {
    if (ended === 0) return;
    const timers = AFTER_CALL_MS.map((delay) => setTimeout(refresh, delay));
    return () => timers.forEach(clearTimeout);
  }, [ended, refresh]);

  const remove = (callId: string) => {
    switchboard.api.removeFromHistory(callId).then(
      () => setLoaded((before) => before && { ...before, calls: before.calls.filter(({ id }) => id !== callId) }),
      (failure: unknown) => setError(errorCode(failure)),
    );
  };

  const calls = loaded?.calls ?? null;
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

/** The first page is read again and again; what was paged to beyond it stays. */
function merged(before: Loaded, page: Loaded, isNext: boolean): Loaded {
  const fresh = new Set(page.calls.map(({ id }) => id));
  const kept = before.calls.filter(({ id }) => !fresh.has(id));
  if (isNext) return { calls: [...kept, ...page.calls], nextCursor: page.nextCursor };
  const isPaged = before.calls.length > page.calls.length;
  return { calls: [...page.calls, ...kept], nextCursor: isPaged ? before.nextCursor : page.nextCursor };
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
