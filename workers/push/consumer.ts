import type { PushEvent } from "../../schema/ledger.ts";
import { PushRequest, type PushTarget } from "../../schema/push.ts";
import { isoTimestamp } from "../../schema/time.ts";
import type { CallView } from "../call/state.ts";
import { failure, log, short } from "../log.ts";
import { again, type Decision, plan } from "./plan.ts";
import { expired, type Result, resultOf } from "./result.ts";
import { type SendEnv, send } from "./send.ts";

/** A message of the queue, as much of it as is used. */
interface Delivery {
  readonly body: unknown;
  ack(): void;
  retry(options?: { delaySeconds?: number }): void;
}

export interface PushEnv extends SendEnv {
  readonly USERS: {
    getByName(userId: string): {
      pushTargets(callId: string, deviceIds: readonly string[]): Promise<PushTarget[]>;
      tokenDied(deviceId: string, token: string): Promise<void>;
    };
  };
  readonly CALLS: {
    getByName(callId: string): {
      look(userId: string): Promise<CallView | null>;
      unreached(userId: string, deviceIds: readonly string[]): Promise<void>;
    };
  };
  readonly PUSHES: { send(body: PushRequest, options?: { delaySeconds?: number }): Promise<unknown> };
  readonly LEDGER: { sendBatch(messages: { body: PushEvent }[]): Promise<unknown> };
}

interface Done {
  readonly decision: Decision;
  readonly result: Result;
}

/** While a user's or a call's object does not answer, in seconds. */
const ASK_AGAIN = { delaySeconds: 1 };

/** The consumer of the pushes' queue. Every message is acked or retried. */
export async function consume(batch: { readonly messages: readonly Delivery[] }, env: PushEnv): Promise<void> {
  await Promise.all(batch.messages.map((message) => handle(message, env)));
}

async function handle(message: Delivery, env: PushEnv): Promise<void> {
  const request = PushRequest.safeParse(message.body);
  if (!request.success) {
    log("push_request_invalid");
    message.ack();
    return;
  }
  try {
    if (!request.data.isDecoy) await perform(env, request.data);
    message.ack();
  } catch (error) {
    // Nothing was sent yet.
    log("push_undecided", { call: short(request.data.callId), failure: failure(error) });
    message.retry(ASK_AGAIN);
  }
}

/** What is said is decided by the call as it is now, not as it was when the push was asked for. */
async function perform(env: PushEnv, request: PushRequest): Promise<void> {
  const { callId, userId, deviceIds, purpose } = request;
  const [view, targets] = await Promise.all([
    env.CALLS.getByName(callId).look(userId),
    env.USERS.getByName(userId).pushTargets(callId, deviceIds),
  ]);
  const decisions = plan(purpose, view, targets, Date.now());
  const done = await Promise.all(decisions.map((decision) => carryOut(env, request, view, decision)));
  await Promise.all(
    [
      report(env, request, done),
      tell(env, request, done),
      forget(env, request, done),
      ...retry(env, request, done),
    ].map((step) =>
      step.catch((error: unknown) => log("push_untold", { call: short(callId), failure: failure(error) })),
    ),
  );
}

async function carryOut(env: PushEnv, request: PushRequest, view: CallView | null, decision: Decision): Promise<Done> {
  if (decision.kind === "expired" || !view) return { decision, result: expired() };
  const sent = await send(env, view, decision);
  const result = resultOf(decision, sent, request.attempts + 1, Date.now());
  const { provider } = decision.target.push;
  const said = { provider, purpose: request.purpose, result: result.result, status: result.status };
  log("push_sent", { call: short(view.callId), attempts: request.attempts + 1, ...said });
  return { decision, result };
}

async function report(env: PushEnv, request: PushRequest, done: readonly Done[]): Promise<void> {
  const { callId, userId, purpose, attempts } = request;
  const at = isoTimestamp(Date.now());
  const events = done.map(({ decision: { target }, result: { result, status } }): { body: PushEvent } => {
    const { deviceId, push } = target;
    const about = { kind: "push" as const, callId, userId, deviceId, provider: push.provider, purpose };
    return { body: { ...about, at, attempts: attempts + 1, result, status } };
  });
  if (events.length > 0) await env.LEDGER.sendBatch(events);
}

/** The call hears of devices that will not ring after all. */
async function tell(env: PushEnv, { callId, userId }: PushRequest, done: readonly Done[]): Promise<void> {
  const unreached = done.flatMap(({ decision, result }) => (result.isUnreached ? [decision.target.deviceId] : []));
  if (unreached.length > 0) await env.CALLS.getByName(callId).unreached(userId, unreached);
}

async function forget(env: PushEnv, { userId }: PushRequest, done: readonly Done[]): Promise<void> {
  const user = env.USERS.getByName(userId);
  for (const { decision, result } of done) {
    const { deviceId, push } = decision.target;
    if (result.isTokenDead) await user.tokenDied(deviceId, push.token);
  }
}

/** Each device by itself, because each provider says when it may be asked again. */
function retry(env: PushEnv, request: PushRequest, done: readonly Done[]): Promise<unknown>[] {
  return done.flatMap(({ decision, result: { retrySeconds: delaySeconds } }) =>
    delaySeconds === null ? [] : [env.PUSHES.send(again(request, decision.target.deviceId), { delaySeconds })],
  );
}
