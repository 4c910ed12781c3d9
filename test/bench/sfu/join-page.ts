import type { Browser, Page } from "playwright-core";
import * as z from "zod";
import type { Person } from "../../../client/index.ts";

/** What a join took: until the first picture of anybody was there, and of everybody, in ms. */
export const Joined = z.object({ firstMs: z.number(), allMs: z.number() });
export type Joined = z.infer<typeof Joined>;

/** What a page got of the videos of a call in a time: of each, pictures a second; and of all, what went wrong. */
export const Quality = z.object({
  framesPerSecond: z.array(z.number()),
  /** W3C webrtc-stats, `freezeCount` and `totalFreezesDuration`, in ms. */
  freezes: z.number(),
  frozenMs: z.number(),
  /** Of packets. */
  lostShare: z.number(),
});
export type Quality = z.infer<typeof Quality>;

const Entered = z.object({ userId: z.string(), name: z.string() });

interface JoiningPage {
  /** Of a call that rings. */
  readonly answered: Promise<void>;
  join(videos: number): Promise<Joined>;
  watch(ms: number): Promise<Quality>;
}

declare global {
  interface Window {
    readonly joining: JoiningPage;
  }
}

/** A client in Chromium that knows nothing but the protocol: the picture that it waits for is a decoded one. */
export class JoinPage {
  readonly person: Person;
  readonly #page: Page;

  private constructor(page: Page, person: Person) {
    this.#page = page;
    this.person = person;
  }

  static async open(browser: Browser, url: string): Promise<JoinPage> {
    const context = await browser.newContext({ permissions: ["camera", "microphone"] });
    const page = await context.newPage();
    // A page of the edge itself without a script: one made up by the bench may open no sockets to this machine.
    await page.goto(`${url}/health`);
    return new JoinPage(page, Entered.parse(await page.evaluate(enter)));
  }

  async answered(): Promise<void> {
    await this.#page.evaluate(() => window.joining.answered);
  }

  /** @param videos that come in; the connection of the join before is given up */
  async join(videos: number): Promise<Joined> {
    return Joined.parse(await this.#page.evaluate((count) => window.joining.join(count), videos));
  }

  /** Of the latest join, for so long. */
  async watch(ms: number): Promise<Quality> {
    return Quality.parse(await this.#page.evaluate((time) => window.joining.watch(time), ms));
  }

  async close(): Promise<void> {
    await this.#page.context().close();
  }
}

/** Runs in the page: it registers, and answers whoever calls. */
async function enter(): Promise<{ userId: string; name: string }> {
  const name = "Chromium";
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 180 } });
  const headers = { "content-type": "application/json" };
  const answer = await fetch("/api/dev/token", { method: "POST", headers, body: JSON.stringify({ name }) });
  const { token, userId } = await answer.json();
  const deviceId = crypto.randomUUID();
  let callId = "";
  let callSocket: WebSocket | undefined;
  let connection: RTCPeerConnection | undefined;
  let before: Promise<unknown> = Promise.resolve();
  const answered = Promise.withResolvers<void>();
  const userSocket = await open("/ws");
  Object.assign(window, { joining: { answered: answered.promise, join, watch } });
  return { userId, name };

  async function open(path: string): Promise<WebSocket> {
    const protocols = ["switchboard.v1", `bearer.${token}`];
    const socket = new WebSocket(location.origin.replace("http", "ws") + path, protocols);
    const registered = Promise.withResolvers<void>();
    socket.onclose = ({ code, reason }) => registered.reject(new Error(`the socket closed: ${code} ${reason}`));
    socket.onopen = () => say(socket, { type: "register", deviceId, deviceType: "Web" });
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "registered") registered.resolve();
      before = before.then(() => hear(message));
    };
    await registered.promise;
    return socket;
  }

  function say(socket: WebSocket | undefined, message: object): void {
    socket?.send(JSON.stringify(message));
  }

  async function hear({ type, sdp, epoch, negotiationId, ...rest }: Record<string, string>): Promise<void> {
    if (type === "incoming_call") say(userSocket, { type: "call_answer", callId: rest.callId });
    if (type === "call_connected") {
      callId = rest.callId ?? "";
      // Not awaited: its registration is heard after this.
      void open(`/calls/${callId}/ws`).then((socket) => {
        callSocket = socket;
        answered.resolve();
      });
    }
    if (!sdp || !connection) return;
    if (type === "room_joined") await connection.setRemoteDescription({ type: "answer", sdp });
    if (type === "renegotiate") {
      await connection.setRemoteDescription({ type: "offer", sdp });
      await connection.setLocalDescription();
      const own = connection.localDescription?.sdp;
      say(callSocket, { type: "renegotiate_answer", callId, epoch, negotiationId, sdp: own });
    }
  }

  async function inbound(): Promise<Map<string, Record<string, number>>> {
    const found = new Map<string, Record<string, number>>();
    const stats = await connection?.getStats();
    stats?.forEach((report) => {
      // Of what mediasoup sends to find out how much gets through nothing is shown.
      const isShown = report.kind === "video" && report.mid !== "probator";
      if (report.type === "inbound-rtp" && isShown) found.set(report.id, report);
    });
    return found;
  }

  async function watch(ms: number): Promise<Quality> {
    const before = await inbound();
    await new Promise((resolve) => setTimeout(resolve, ms));
    const rises = [...(await inbound())].map(
      ([id, after]) =>
        (name: string) =>
          (after[name] ?? 0) - (before.get(id)?.[name] ?? 0),
    );
    const sum = (name: string) => rises.reduce((total, rise) => total + rise(name), 0);
    const [lost, received] = [sum("packetsLost"), sum("packetsReceived")];
    return {
      framesPerSecond: rises.map((rise) => (rise("framesDecoded") * 1_000) / ms),
      freezes: sum("freezeCount"),
      frozenMs: sum("totalFreezesDuration") * 1_000,
      lostShare: lost / Math.max(1, lost + received),
    };
  }

  async function join(videos: number): Promise<{ firstMs: number; allMs: number }> {
    connection?.close();
    document.body.replaceChildren();
    const from = performance.now();
    const shown: number[] = [];
    const all = Promise.withResolvers<void>();
    connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    connection.ontrack = ({ track }) => {
      if (track.kind !== "video") return;
      const video = document.createElement("video");
      Object.assign(video, { srcObject: new MediaStream([track]), autoplay: true, muted: true, width: 64 });
      video.requestVideoFrameCallback(() => {
        shown.push(performance.now() - from);
        if (shown.length === videos) all.resolve();
      });
      document.body.append(video);
    };
    for (const track of media.getTracks())
      connection.addTransceiver(track, { direction: "sendonly", streams: [media] });
    await connection.setLocalDescription();
    say(callSocket, { type: "room_join", callId, sdp: connection.localDescription?.sdp });
    await all.promise;
    return { firstMs: shown[0] ?? Number.NaN, allMs: shown.at(-1) ?? Number.NaN };
  }
}
