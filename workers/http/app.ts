import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { MAX_HTTP_BODY } from "../../schema/limits.ts";
import { failure, log } from "../log.ts";
import { type Identity, upgradeRequest } from "../socket.ts";
import { withWhereabouts } from "../whereabouts.ts";
import { drainNode, nodes } from "./admin.ts";
import { authenticate, selectedProtocol } from "./auth.ts";
import type { Bindings } from "./bindings.ts";
import { callEvents } from "./call-events.ts";
import { alertCall, answerCall, declineCall, endCall, getCall } from "./calls.ts";
import { contacts } from "./contacts.ts";
import { developmentToken } from "./development.ts";
import { HttpRefusal, pathId, refuse } from "./errors.ts";
import { grantFor } from "./grant.ts";
import { health } from "./health.ts";
import { history, removeFromHistory } from "./history.ts";
import { iceServers } from "./ice-servers.ts";
import {
  addContact,
  block,
  blocks,
  putDevice,
  putPushToken,
  putSettings,
  removeContact,
  settings,
  unblock,
} from "./privacy.ts";
import { vapidKey } from "./push.ts";
import { countFailure } from "./rate-limit.ts";
import { regions } from "./regions.ts";
import { connectNode } from "./sfu-nodes.ts";
import { connectRoom } from "./sfu-rooms.ts";
import { devices, presence, putUser, removeDevice } from "./users.ts";

/** The HTTP API and the two sockets: everything is authenticated and validated here, before any object is touched. */
export const app = new Hono<Bindings>();

app.use("/api/*", bodyLimit({ maxSize: MAX_HTTP_BODY, onError: tooLarge }));
app.get("/health", health);
app.get("/sfu/nodes", connectNode);
app.get("/sfu/rooms/:id", connectRoom);
app.post("/api/dev/token", developmentToken);
app.put("/api/users/:id", putUser);
app.get("/api/admin/nodes", nodes);
app.post("/api/admin/nodes/:id/drain", drainNode);

app.use(async (context, next) => {
  const identity = await authenticate(context.req.raw, context.env);
  const grant = identity ? null : await grantFor(context.req.raw, context.env);
  const who = identity ?? grant?.identity;
  if (!who) throw await countFailure(context.req.raw, context.env);
  context.set("identity", who);
  if (grant) context.set("grant", grant);
  await next();
});

app.get("/ws", (context) => {
  const { identity } = context.var;
  return upgrade(context.req.raw, identity, context.env.USERS.getByName(identity.userId));
});
app.get("/calls/:id/ws", (context) => {
  const callId = pathId(context);
  return upgrade(context.req.raw, context.var.identity, context.env.CALLS.getByName(callId));
});
app.get("/api/contacts", contacts);
app.post("/api/contacts/:id", addContact);
app.delete("/api/contacts/:id", removeContact);
app.get("/api/ice-servers", iceServers);
app.get("/api/regions", regions);
app.get("/api/calls", history);
app.get("/api/calls/:id", getCall);
app.post("/api/calls/:id/alerting", alertCall);
app.post("/api/calls/:id/answer", answerCall);
app.post("/api/calls/:id/decline", declineCall);
app.post("/api/calls/:id/end", endCall);
app.delete("/api/calls/:id", removeFromHistory);
app.get("/api/calls/:id/events", callEvents);
app.get("/api/devices", devices);
app.put("/api/devices/:id", putDevice);
app.delete("/api/devices/:id", removeDevice);
app.put("/api/devices/:id/push-token", putPushToken);
app.get("/api/blocks", blocks);
app.put("/api/blocks/:id", block);
app.delete("/api/blocks/:id", unblock);
app.get("/api/settings", settings);
app.put("/api/settings", putSettings);
app.get("/api/push/vapid-key", vapidKey);
app.get("/api/users/:id/presence", presence);

app.notFound((context) => refuse(context, new HttpRefusal("not_found", "no such route")));

app.onError((error, context) => {
  if (error instanceof HttpRefusal) return refuse(context, error);
  if (error instanceof HTTPException)
    return refuse(context, new HttpRefusal("bad_message", "bad request", { status: error.status }));
  log("request_failed", { route: context.req.routePath, failure: failure(error) });
  return refuse(context, new HttpRefusal("internal", "try again"));
});

function tooLarge(): Response {
  throw new HttpRefusal("too_large", `a body holds at most ${MAX_HTTP_BODY} bytes`);
}

/** Hands a socket to its object. The subprotocol is selected here: the object sees no token. */
async function upgrade(request: Request, identity: Identity, target: DurableObjectStub): Promise<Response> {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    throw new HttpRefusal("bad_message", "a WebSocket upgrade is needed", { status: 426 });
  }
  const answer = await target.fetch(withWhereabouts(upgradeRequest(request.url, identity), request));
  const protocol = selectedProtocol(request.headers);
  if (!answer.webSocket || protocol === null) return answer;
  return new Response(null, {
    status: 101,
    webSocket: answer.webSocket,
    headers: { "sec-websocket-protocol": protocol },
  });
}
