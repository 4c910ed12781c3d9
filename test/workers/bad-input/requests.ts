import { randomUUID } from "node:crypto";
import fc from "fast-check";
import type { ErrorCode } from "../../../schema/errors.ts";
import { MAX_HTTP_BODY } from "../../../schema/limits.ts";
import { SECRETS } from "../../support/edge.ts";
import { anything, CANARY, LOADED, notName, notText, notUuid, sample, text } from "./values.ts";

/** A request that is refused, and how. */
export interface BadRequest {
  readonly path: string;
  readonly init: RequestInit;
  readonly status: number;
  readonly code: ErrorCode;
}

const id = randomUUID();

const ROUTES: readonly (readonly [method: string, path: string])[] = [
  ["GET", "/api/contacts"],
  ["GET", "/api/ice-servers"],
  ["GET", "/api/regions"],
  ["GET", "/api/calls"],
  ["GET", "/api/devices"],
  ["PUT", `/api/devices/${id}`],
  ["DELETE", `/api/devices/${id}`],
  ["PUT", `/api/devices/${id}/push-token`],
  ["GET", `/api/calls/${id}`],
  ["DELETE", `/api/calls/${id}`],
  ["GET", `/api/calls/${id}/events`],
  ["POST", `/api/calls/${id}/alerting`],
  ["POST", `/api/calls/${id}/answer`],
  ["POST", `/api/calls/${id}/decline`],
  ["POST", `/api/calls/${id}/end`],
  ["GET", "/api/blocks"],
  ["PUT", `/api/blocks/${id}`],
  ["DELETE", `/api/blocks/${id}`],
  ["POST", `/api/contacts/${id}`],
  ["DELETE", `/api/contacts/${id}`],
  ["GET", "/api/settings"],
  ["PUT", "/api/settings"],
  ["GET", "/api/push/vapid-key"],
  ["GET", `/api/users/${id}/presence`],
  ["GET", "/ws"],
  ["GET", `/calls/${id}/ws`],
];

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** As a part of a path: neither empty nor one that a URL resolves. */
const notIdInPath = notUuid
  .map((value) => (typeof value === "string" ? value : JSON.stringify(value)))
  .map((value) => encodeURIComponent(value.toWellFormed()))
  .filter((part) => part !== "" && !/^(\.|%2e)+$/i.test(part) && part.length < 2_000);

const body = fc.oneof(
  text,
  anything.map((value) => JSON.stringify(value)),
  fc.record({ name: notName }).map((fields) => JSON.stringify(fields)),
  fc.constantFrom(...LOADED).map((key) => `{"${key}":{"name":"Ada"}}`),
  fc.constantFrom("", "{", '{"name":"Ada"', "[[[[", "null", "{}", "[".repeat(50_000)),
);

const wrongBody: fc.Arbitrary<BadRequest> = fc
  .record({
    route: fc.constantFrom(
      { path: "/api/dev/token", init: { method: "POST", headers: {} } },
      { path: `/api/users/${id}`, init: { method: "PUT", headers: bearer(SECRETS.SERVER_KEY) } },
    ),
    body,
  })
  .map(({ route, body: wrong }) => ({
    path: route.path,
    init: { ...route.init, body: wrong },
    status: 400,
    code: "bad_message",
  }));

const wrongMore: fc.Arbitrary<BadRequest> = fc
  .oneof(
    fc.record({ userId: notUuid.filter((value) => value !== undefined) }).map((more) => ({
      path: "/api/dev/token",
      init: { method: "POST", body: JSON.stringify({ name: "Ada", ...more }) },
    })),
    fc
      .record({
        avatarUrl: fc.oneof(
          text,
          notText.filter((value) => value !== null),
        ),
      })
      .map((more) => ({
        path: `/api/users/${id}`,
        init: { method: "PUT", headers: bearer(SECRETS.SERVER_KEY), body: JSON.stringify({ name: "Ada", ...more }) },
      })),
    notIdInPath.map((part) => ({
      path: `/api/users/${part}`,
      init: { method: "PUT", headers: bearer(SECRETS.SERVER_KEY), body: '{"name":"Ada"}' },
    })),
  )
  .map((request) => ({ ...request, status: 400, code: "bad_message" }));

function wrongSetting(token: string): fc.Arbitrary<BadRequest> {
  const device = `/api/devices/${id}`;
  const notBoolean = anything.filter((value) => typeof value !== "boolean");
  const asked = fc.oneof(
    notBoolean.map((doNotDisturb) => ({ method: "PUT", path: device, body: { doNotDisturb } })),
    anything.map((ringFrom) => ({ method: "PUT", path: "/api/settings", body: { ringFrom } })),
    anything.map((provider) => ({ method: "PUT", path: `${device}/push-token`, body: { provider, token: "t" } })),
    text.map((token) => ({ method: "PUT", path: `${device}/push-token`, body: { provider: "webpush", token } })),
    anything.map((reason) => ({ method: "POST", path: `/api/calls/${id}/decline`, body: { reason } })),
    notUuid.map((deviceId) => ({ method: "POST", path: `/api/calls/${id}/answer`, body: { deviceId } })),
  );
  return asked.map(({ method, path, body: wrong }) => ({
    path,
    init: { method, headers: bearer(token), body: JSON.stringify(wrong) },
    status: 400,
    code: "bad_message",
  }));
}

function wrongId(token: string): fc.Arbitrary<BadRequest> {
  const paths = [
    (part: string) => ["GET", `/api/users/${part}/presence`],
    (part: string) => ["DELETE", `/api/devices/${part}`],
    (part: string) => ["PUT", `/api/blocks/${part}`],
    (part: string) => ["DELETE", `/api/contacts/${part}`],
    (part: string) => ["GET", `/api/calls/${part}`],
    (part: string) => ["GET", `/api/calls/${part}/events`],
    (part: string) => ["POST", `/api/calls/${part}/decline`],
    (part: string) => ["GET", `/calls/${part}/ws`],
  ];
  return fc.record({ path: fc.constantFrom(...paths), part: notIdInPath }).map(({ path, part }) => {
    const [method = "GET", written = ""] = path(part);
    return { path: written, init: { method, headers: bearer(token) }, status: 400, code: "bad_message" };
  });
}

function wrongQuery(token: string): fc.Arbitrary<BadRequest> {
  const limit = fc.oneof(
    text,
    fc.integer({ max: 0 }),
    fc.integer({ min: 101 }),
    fc.constantFrom("", "1.5", "NaN", "1e9", "ten", "١٢"),
  );
  const cursor = fc.oneof(
    text,
    fc.constantFrom("", "=", "%%%", btoa(CANARY), btoa("null null"), btoa(`2026-13-40T00:00:00Z ${id}`)),
    fc.base64String().filter((value) => value.length < 200),
  );
  return fc.oneof(fc.record({ limit }), fc.record({ cursor })).map((query) => {
    const written = Object.entries(query).map(([name, value]) => [name, String(value).toWellFormed()]);
    const path = `/api/calls?${new URLSearchParams(written)}`;
    return { path, init: { headers: bearer(token) }, status: 400, code: "bad_message" };
  });
}

/** The token is changed somewhere, cut, or something else altogether. */
function wrongToken(token: string): fc.Arbitrary<BadRequest> {
  const visible = fc
    .string({ unit: "grapheme-ascii", minLength: 1, maxLength: 300 })
    .map((some) => `${CANARY}${some.trim()}`);
  const changed = fc.nat({ max: token.length - 2 }).map((at) => {
    const other = token[at] === "A" ? "B" : "A";
    return token.slice(0, at) + other + token.slice(at + 1);
  });
  const cut = fc.nat({ max: token.length - 2 }).map((end) => token.slice(0, end));
  const authorization = fc.oneof(
    visible,
    visible.map((some) => `Bearer ${some}`),
    changed.map((some) => `Bearer ${some}`),
    cut.map((some) => `Bearer ${some}`),
    fc.constantFrom(token, `Basic ${token}`, `Bearer Bearer ${token}`, `Bearer ${token} ${token}`, `Bearer ${token},`),
  );
  return fc
    .record({ route: fc.constantFrom(...ROUTES), authorization })
    .map(({ route: [method, path], ...headers }) => ({
      path,
      init: { method, headers },
      status: 401,
      code: "unauthorized",
    }));
}

function nowhere(token: string): fc.Arbitrary<BadRequest> {
  const methods = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
  const isRoute = (method: string, path: string) => ROUTES.some((route) => route[0] === method && route[1] === path);
  const otherMethod = fc
    .tuple(fc.constantFrom(...methods), fc.constantFrom(...ROUTES.map(([, path]) => path)))
    .filter(([method, path]) => !isRoute(method, path));
  const otherPath = fc
    .tuple(fc.constantFrom("GET", ...methods), text)
    .map(([method, some]) => [method, `/api/${encodeURIComponent(some.toWellFormed())}${CANARY}`] as const)
    .filter(([, path]) => path.length < 2_000);
  return fc.oneof(otherMethod, otherPath).map(([method, path]) => ({
    path,
    init: { method, headers: bearer(token) },
    status: 404,
    code: "not_found",
  }));
}

const tooLarge: fc.Arbitrary<BadRequest> = fc
  .record({
    size: fc.integer({ min: MAX_HTTP_BODY + 1, max: 4 * MAX_HTTP_BODY }),
    route: fc.constantFrom(["POST", "/api/dev/token"], ["PUT", `/api/users/${id}`], ["POST", "/api/calls"]),
  })
  .map(({ size, route: [method = "POST", path = ""] }) => ({
    path,
    init: { method, body: CANARY.padEnd(size, "x") },
    status: 413,
    code: "too_large",
  }));

export function badRequests(token: string): BadRequest[] {
  return [
    { path: "/api/users/%E0%A4%A/presence", init: { headers: bearer(token) }, status: 400, code: "bad_message" },
    { path: "/api/users/%00/presence", init: { headers: bearer(token) }, status: 400, code: "bad_message" },
    { path: "/api/users/%2e%2e%2fcalls/presence", init: { headers: bearer(token) }, status: 400, code: "bad_message" },
    ...sample(wrongBody, 150),
    ...sample(wrongMore, 120),
    ...sample(wrongId(token), 100),
    ...sample(wrongQuery(token), 120),
    ...sample(wrongSetting(token), 150),
    ...sample(wrongToken(token), 150),
    ...sample(nowhere(token), 80),
    ...sample(tooLarge, 20),
  ];
}
