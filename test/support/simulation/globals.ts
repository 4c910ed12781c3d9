import { vi } from "vitest";
import type { Random } from "../random.ts";
import type { Clock } from "./clock.ts";
import { ServerSocket } from "./platform.ts";

/** What the objects and the SDK take from their runtime, on the clock and the seed of the simulation that runs. */

const RealDate = Date;
let clock: Clock | null = null;
let random: Random | null = null;

class SimulatedDate extends RealDate {
  constructor(...given: [] | [string | number | Date]) {
    if (given.length === 0) super(SimulatedDate.now());
    else super(given[0]);
  }

  static override now(): number {
    return clock?.now ?? RealDate.now();
  }
}

class WebSocketPair {
  readonly 0: { readonly server: ServerSocket };
  readonly 1: ServerSocket;

  constructor() {
    this[1] = new ServerSocket();
    this[0] = { server: this[1] };
  }
}

/** The real one refuses 101. */
class SwitchingResponse {
  readonly status: number;
  readonly webSocket: unknown;

  constructor(_body: null, { status, webSocket = null }: { status: number; webSocket?: unknown }) {
    this.status = status;
    this.webSocket = webSocket;
  }

  static json(_body: unknown, init: { status: number }): SwitchingResponse {
    return new SwitchingResponse(null, init);
  }
}

function getRandomValues(bytes: Uint8Array): Uint8Array {
  return bytes.map(() => random?.below(256) ?? 0);
}

/** Looks like a UUID v4, and comes from the seed. */
function randomUUID(): string {
  const hex = Array.from(getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-a$4-$5");
}

export function installGlobals(): void {
  vi.stubGlobal("Date", SimulatedDate);
  vi.stubGlobal("WebSocketPair", WebSocketPair);
  vi.stubGlobal("WebSocketRequestResponsePair", class {});
  vi.stubGlobal("WebSocket", { OPEN: 1 });
  vi.stubGlobal("Response", SwitchingResponse);
  vi.stubGlobal("crypto", { getRandomValues, randomUUID });
  vi.spyOn(console, "log").mockImplementation(() => {});
}

export function removeGlobals(): void {
  clock = null;
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
}

export function runsOn(simulation: { readonly clock: Clock; readonly random: Random }): void {
  clock = simulation.clock;
  random = simulation.random;
}
