import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ROOT } from "../support/project.ts";

/** What client/PUSH.md tells an app to put into its service worker, as it stands there. */
const guide = await readFile(join(ROOT, "client/PUSH.md"), "utf8");
const [, sample = ""] = [...guide.matchAll(/ {3}```js\n(.*?) {3}```/gs)].map(([, code]) => code);

const push = {
  type: "incoming_call",
  callId: "C",
  callType: "audio",
  caller: { name: "Ada" },
  callToken: "T",
  sentAt: "2026-01-01T00:00:00.000Z",
  expiresAt: "2026-01-01T00:00:30.000Z",
};

interface Shown {
  readonly body: string;
  readonly requireInteraction: boolean;
}

type Answer = { readonly state: string } | number | "none";

/** A browser that wakes the sample, and a server that answers so, the last of it again and again. */
function wake(...answers: Answer[]) {
  const shown: Shown[] = [];
  const posted: string[] = [];
  let done: Promise<unknown> = Promise.resolve();
  const registration = { showNotification: async (_: string, options: Shown) => void shown.push(options) };
  const self = {
    registration,
    addEventListener(_: string, listener: (event: object) => void) {
      const waitUntil = (work: Promise<unknown>) => {
        done = work;
      };
      listener({ waitUntil, data: { json: () => push } });
    },
  };
  const fetch = async () => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === "none" || answer === undefined) throw new TypeError("no network");
    if (typeof answer === "number") return { ok: false, status: answer };
    return { ok: true, status: 200, json: async () => ({ call: answer }) };
  };
  const post = async (_: object, what: string) => void posted.push(what);
  const textOf = (call: { state: string } | null) => (call ? call.state : "missed");
  runInNewContext(sample, { self, fetch, post, textOf, setTimeout, AbortSignal, Date });
  return { shown, posted, done };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test.each<[string, Answer[], string[], string[]]>([
  ["it rings", [{ state: "ringing" }], ["Incoming audio call"], ["alerting"]],
  ["it is over", [{ state: "ended" }], ["ended"], []],
  ["the server refuses", [404], ["missed"], []],
  [
    "nobody answers, then it turns out to ring",
    ["none", 503, { state: "reaching" }],
    ["Incoming audio call"],
    ["alerting"],
  ],
  ["nobody answers, then it turns out to be over", ["none", { state: "ended" }], ["Incoming audio call", "ended"], []],
  ["nobody answers for as long as the ring lasts", ["none"], ["Incoming audio call", "missed"], []],
])("[PUSH-4] the guide's service worker: %s", async (_, answers, bodies, posts) => {
  const { shown, posted, done } = wake(...answers);
  await vi.advanceTimersByTimeAsync(40_000);
  await done;
  expect(shown.map(({ body }) => body)).toEqual(bodies);
  expect(posted).toEqual(posts);
  expect(shown.map(({ requireInteraction }) => requireInteraction)).toEqual(
    bodies.map((body) => body === "Incoming audio call"),
  );
});
