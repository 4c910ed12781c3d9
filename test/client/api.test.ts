import { expect, test } from "vitest";
import { Api } from "../../client/index.ts";

interface Asked {
  readonly url: string;
  readonly authorization: string | null;
}

function apiThat(answer: () => Response | Promise<Response>) {
  const asked: Asked[] = [];
  const api = new Api({
    url: "https://calls.example.com",
    token: async () => "a.b.c",
    platform: {
      fetch: async (input, init) => {
        const request = new Request(input, init);
        asked.push({ url: request.url, authorization: request.headers.get("authorization") });
        return answer();
      },
    },
  });
  return { api, asked };
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
