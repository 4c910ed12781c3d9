import { expect, test } from "vitest";
import type { Api } from "../../client/api.ts";
import { freshIceConfiguration } from "../../client/ice-configuration.ts";
import type { IceServersResponse } from "../../schema/http.ts";

/** A server whose answers a test gives, in the order in which it was asked. */
function server() {
  const asked: PromiseWithResolvers<IceServersResponse>[] = [];
  const api: Pick<Api, "iceServers"> = {
    iceServers: () => {
      const answer = Promise.withResolvers<IceServersResponse>();
      asked.push(answer);
      return answer.promise;
    },
  };
  return { api, asked };
}

const relays = (name: string): IceServersResponse => ({
  iceServers: [{ urls: [name] }],
  iceTransportPolicy: "all",
  ttl: 300,
});

test("[RES-5] relays are asked for while the server is still looked for", async () => {
  const { api, asked } = server();
  const reachable = Promise.withResolvers<void>();
  const fresh = freshIceConfiguration(api, reachable.promise);
  asked[0]?.resolve(relays("turn:first"));
  await new Promise((resolve) => setImmediate(resolve));
  reachable.resolve();
  expect(await fresh).toMatchObject({ iceServers: [{ urls: ["turn:first"] }] });
  expect(asked).toHaveLength(1);
});

test("what was asked on a network that is gone is asked again on the new one", async () => {
  const { api, asked } = server();
  const fresh = freshIceConfiguration(api, Promise.resolve());
  await Promise.resolve();
  await expect.poll(() => asked.length).toBe(2);
  asked[1]?.resolve(relays("turn:second"));
  expect(await fresh).toMatchObject({ iceServers: [{ urls: ["turn:second"] }] });
});

test("without a network there is none, and whoever asked hears of it", async () => {
  const { api, asked } = server();
  const fresh = freshIceConfiguration(api, Promise.resolve());
  asked[0]?.reject(new TypeError("failed to fetch"));
  await expect.poll(() => asked.length).toBe(2);
  asked[1]?.reject(new TypeError("failed to fetch"));
  await expect(fresh).rejects.toThrow();
});
