import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { ConfigError, readConfig } from "../../sfu-node/config.ts";

const required = { SWITCHBOARD_EDGE_URL: "http://127.0.0.1:8787", SFU_NODE_KEY: "a-key-nobody-may-read" };

function refusal(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("the environment was taken");
}

describe("the environment of a node", () => {
  it("needs the edge and the key, and nothing else in a local run", () => {
    expect(readConfig(required)).toEqual({
      edgeUrl: new URL("http://127.0.0.1:8787"),
      nodeKey: "a-key-nobody-may-read",
      region: "local",
      workers: 1,
      consumersPerWorker: 400,
      listenIp: "127.0.0.1",
      announcedAddress: "127.0.0.1",
      rtcPort: 40_000,
      pipePorts: { min: 41_000, max: 41_999 },
      lastN: 32,
      drainMs: 120_000,
      healthHost: "127.0.0.1",
      healthPort: 8_788,
      apnsUrl: null,
      workerBin: null,
    });
  });

  it("has a worker for each core outside of a local run", () => {
    expect(readConfig({ ...required, SFU_REGION: "eu-west" }).workers).toBe(Math.min(availableParallelism(), 32));
    expect(readConfig({ ...required, SFU_REGION: "eu-west", SFU_WORKERS: "3" }).workers).toBe(3);
  });

  it("takes pushes to APNs only where it is asked to", () => {
    const relay = { ...required, PUSH_RELAY: "on" };
    expect(readConfig(relay).apnsUrl?.href).toBe("https://api.push.apple.com/");
    expect(readConfig({ ...relay, APNS_URL: "https://api.sandbox.push.apple.com" }).apnsUrl?.host).toContain("sandbox");
    expect(refusal({ ...relay, APNS_URL: "http://api.push.apple.com" })).toContain("APNS_URL: ");
  });

  it("treats an empty variable as one that is not set", () => {
    expect(readConfig({ ...required, SFU_WORKERS: "", MEDIASOUP_WORKER_BIN: "" })).toMatchObject({
      workers: 1,
      apnsUrl: null,
      workerBin: null,
    });
  });

  it.each<[string, Record<string, string>, string]>([
    ["no edge", { SWITCHBOARD_EDGE_URL: "" }, "SWITCHBOARD_EDGE_URL"],
    ["an edge that is no URL", { SWITCHBOARD_EDGE_URL: "localhost:8787" }, "SWITCHBOARD_EDGE_URL"],
    ["no key", { SFU_NODE_KEY: "" }, "SFU_NODE_KEY"],
    ["a region that is no name", { SFU_REGION: "EU West" }, "SFU_REGION"],
    ["no worker at all", { SFU_WORKERS: "0" }, "SFU_WORKERS"],
    ["a port beyond the last", { HEALTH_PORT: "65536" }, "HEALTH_PORT"],
    ["workers beyond the last port", { SFU_RTC_PORT: "65535", SFU_WORKERS: "2" }, "SFU_RTC_PORT"],
    ["an address that is none", { SFU_LISTEN_IP: "everywhere" }, "SFU_LISTEN_IP"],
    ["every address and none to tell clients", { SFU_LISTEN_IP: "0.0.0.0" }, "ANNOUNCED_ADDRESS"],
  ])("is refused with %s, by the variable's name", (_title, changes, variable) => {
    expect(refusal({ ...required, ...changes })).toContain(`${variable}: `);
  });

  it("is refused without a word of the key", () => {
    expect(refusal({ SFU_NODE_KEY: required.SFU_NODE_KEY })).not.toContain(required.SFU_NODE_KEY);
  });
});
