import type { PushProvider } from "../../schema/push-token.ts";
import type { CallView } from "../call/state.ts";
import { signCallToken } from "../http/call-token.ts";
import { failure, log } from "../log.ts";
import { type ApnsEnv, sendApns } from "./apns.ts";
import { type FcmEnv, sendFcm } from "./fcm.ts";
import { noticePayload, ringPayload } from "./payload.ts";
import type { Decision } from "./plan.ts";
import type { Outgoing, Sent } from "./provider.ts";
import { sendWebPush, type WebPushEnv } from "./webpush.ts";

export interface SendEnv extends ApnsEnv, FcmEnv, WebPushEnv {
  readonly CALL_TOKEN_SECRET: string;
}

type Sendable = Exclude<Decision, { kind: "expired" }>;

/** Providers without credentials, each of which is told of once. */
const unconfigured = new Set<PushProvider>();

/** Never throws: a bug in one provider's way must not take other devices' pushes along. */
export async function send(env: SendEnv, view: CallView, decision: Sendable): Promise<Sent> {
  const { provider } = decision.target.push;
  try {
    const sent = await sendBy(env, provider, await outgoing(env, view, decision));
    if (sent.kind === "unconfigured" && !unconfigured.has(provider)) log("push_unconfigured", { provider });
    if (sent.kind === "unconfigured") unconfigured.add(provider);
    return sent;
  } catch (error) {
    log("push_broken", { provider, failure: failure(error) });
    return { kind: "failed", status: null };
  }
}

async function outgoing(env: SendEnv, view: CallView, decision: Sendable): Promise<Outgoing> {
  const { callId, userId } = view;
  const { target, until } = decision;
  const about = { callId, token: target.push.token, until };
  const now = Date.now();
  switch (decision.kind) {
    case "ring": {
      const callToken = await signCallToken(env, { userId, callId, deviceId: target.deviceId }, until);
      return { ...about, payload: ringPayload(view, callToken, now) };
    }
    case "notice":
      return { ...about, payload: noticePayload(view, decision.notice, now) };
  }
}

function sendBy(env: SendEnv, provider: PushProvider, push: Outgoing): Promise<Sent> {
  switch (provider) {
    case "apns":
      return sendApns(env, push, "alert");
    case "apns_voip":
      return sendApns(env, push, "voip");
    case "fcm":
      return sendFcm(env, push);
    case "webpush":
      return sendWebPush(env, push);
  }
}
