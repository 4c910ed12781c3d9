import { expect, test } from "vitest";
import { Api } from "../../client/index.ts";

interface Asked {
  readonly url: string;
  readonly authorization: string | null;
}

const bob = "b0000000-0000-4000-8000-000000000001";

function apiThat(answer: () => Response | Promise<Response>) {
  const asked: Asked[] = [];
  const sent: string[] = [];
  const api = new Api({
    url: "https://calls.example.com",
    token: async () => "a.b.c",
    platform: {
      fetch: async (input, init) => {
        const request = new Request(input, init);
        sent.push(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`.trim());
        asked.push({ url: request.url, authorization: request.headers.get("authorization") });
        return answer();
      },
    },
  });
  return { api, asked, sent };
}

test("requests carry the token, and pages of the history their cursor", async () => {
  const { api, asked } = apiThat(() => Response.json({ calls: [], nextCursor: null }));
  expect(await api.history({ limit: 5, cursor: "a b" })).toEqual({ calls: [], nextCursor: null });
  expect(asked).toEqual([
    { url: "https://calls.example.com/api/calls?limit=5&cursor=a+b", authorization: "Bearer a.b.c" },
  ]);
});

test.each([
  [
    "a refusal",
    () => Response.json({ error: { code: "unauthorized", message: "who?" } }, { status: 401 }),
    "unauthorized",
  ],
  ["an answer of another form", () => Response.json({ contacts: "none" }), "invalid_response"],
  ["a proxy's page", () => new Response("<h1>Bad gateway</h1>", { status: 502 }), "invalid_response"],
  ["no answer", () => Promise.reject(new TypeError("fetch failed")), "offline"],
])("%s is a typed error", async (_title, answer, code) => {
  await expect(apiThat(answer).api.contacts()).rejects.toMatchObject({ name: "SwitchboardError", code });
});

test.each<[string, (api: Api) => Promise<unknown>]>([
  [`PUT /api/blocks/${bob}`, (api) => api.block(bob)],
  [`DELETE /api/blocks/${bob}`, (api) => api.unblock(bob)],
  [`POST /api/contacts/${bob}`, (api) => api.addContact(bob)],
  [`DELETE /api/contacts/${bob}`, (api) => api.removeContact(bob)],
  [`DELETE /api/calls/${bob}`, (api) => api.removeFromHistory(bob)],
  [`DELETE /api/devices/${bob}`, (api) => api.removeDevice(bob)],
  [`PUT /api/devices/${bob} {"doNotDisturb":true}`, (api) => api.setDoNotDisturb(bob, true)],
  [
    `PUT /api/devices/${bob}/push-token {"provider":"fcm","token":"t"}`,
    (api) => api.setPushToken(bob, { provider: "fcm", token: "t" }),
  ],
])("%s", async (expected, ask) => {
  const { api, sent } = apiThat(() => new Response(null, { status: 204 }));
  expect(await ask(api)).toBeUndefined();
  expect(sent).toEqual([expected]);
});

test("settings are answered as they are then", async () => {
  const { api, sent } = apiThat(() => Response.json({ ringFrom: "contacts", relayOnly: true }));
  expect(await api.setSettings({ ringFrom: "contacts" })).toEqual({ ringFrom: "contacts", relayOnly: true });
  expect(sent).toEqual(['PUT /api/settings {"ringFrom":"contacts"}']);
});
