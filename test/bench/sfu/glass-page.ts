import type { Browser, Page } from "playwright-core";
import * as z from "zod";

/** The two clients, by name. */
export type End = "near" | "far";

interface Glass {
  /** Begins anew: two connections that send the picture with the time code. */
  open(direction: "sendonly" | "sendrecv"): void;
  describe(end: End): Promise<string>;
  accept(end: End, type: "offer" | "answer", sdp: string): Promise<void>;
  /** Both show pictures of the other. */
  shown(): Promise<void>;
  /** How old each picture is that either shows from now on, in ms. */
  ages(ms: number): Promise<number[]>;
}

declare global {
  interface Window {
    readonly glass: Glass;
  }
}

const Ages = z.array(z.number());

/**
 * Two clients on one page, and so with one clock. The camera is a canvas that shows a number; a receiver reads it from
 * what its video element shows.
 */
export class GlassPage {
  readonly #page: Page;

  private constructor(page: Page) {
    this.#page = page;
  }

  static async open(browser: Browser): Promise<GlassPage> {
    const page = await browser.newPage();
    await page.evaluate(install);
    return new GlassPage(page);
  }

  async begin(direction: "sendonly" | "sendrecv"): Promise<void> {
    await this.#page.evaluate((way) => window.glass.open(way), direction);
  }

  async describe(end: End): Promise<string> {
    return z.string().parse(await this.#page.evaluate((name) => window.glass.describe(name), end));
  }

  async accept(end: End, type: "offer" | "answer", sdp: string): Promise<void> {
    await this.#page.evaluate((said) => window.glass.accept(said.end, said.type, said.sdp), { end, type, sdp });
  }

  async shown(): Promise<void> {
    await this.#page.evaluate(() => window.glass.shown());
  }

  async ages(ms: number): Promise<number[]> {
    return Ages.parse(await this.#page.evaluate((span) => window.glass.ages(span), ms));
  }

  close(): Promise<void> {
    return this.#page.close();
  }
}

/** Runs in the page. */
function install(): void {
  const [width, height, bits, fps] = [320, 180, 8, 30];
  const connections = new Map<string, RTCPeerConnection>();
  /** When each number was drawn; after 256 pictures, 8.5 s, it is another's. */
  const drawnAt: number[] = [];
  let ages: number[] = [];
  let waiting: Promise<unknown>[] = [];
  const camera = canvas();
  const stream = camera.canvas.captureStream(0);
  const track = stream.getVideoTracks()[0];
  if (!(track instanceof CanvasCaptureMediaStreamTrack)) throw new Error("no track of the canvas");
  let code = 0;
  setInterval(draw, 1_000 / fps);
  Object.assign(window, { glass: { open, describe, accept, shown, ages: agesIn } });

  function canvas(): CanvasRenderingContext2D {
    const element = Object.assign(document.createElement("canvas"), { width, height });
    const context = element.getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("no canvas");
    return context;
  }

  /** The upper row shows the number, the lower its complement: what is not whole is known as such. */
  function draw(): void {
    code = (code + 1) % 2 ** bits;
    drawnAt[code] = performance.now();
    for (let bit = 0; bit < bits; bit++) {
      for (const row of [0, 1]) {
        camera.fillStyle = ((code >> bit) & 1) === row ? "black" : "white";
        camera.fillRect((bit * width) / bits, (row * height) / 2, width / bits, height / 2);
      }
    }
    if (track instanceof CanvasCaptureMediaStreamTrack) track.requestFrame();
  }

  function read(context: CanvasRenderingContext2D, video: HTMLVideoElement): number | null {
    context.drawImage(video, 0, 0, width, height);
    let found = 0;
    for (let bit = 0; bit < bits; bit++) {
      const x = ((bit + 0.5) * width) / bits;
      const isWhite = (y: number) => (context.getImageData(x, y, 1, 1).data[1] ?? 0) > 127;
      if (isWhite(height / 4) === isWhite((height * 3) / 4)) return null;
      if (isWhite(height / 4)) found |= 1 << bit;
    }
    return found;
  }

  function open(direction: "sendonly" | "sendrecv"): void {
    for (const connection of connections.values()) connection.close();
    document.body.replaceChildren();
    waiting = [];
    for (const end of ["near", "far"]) {
      const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
      const first = Promise.withResolvers<void>();
      connection.ontrack = (event) => watch(event.track, first.resolve);
      // An answerer's line comes with the offer: a transceiver of its own would be another.
      if (direction === "sendonly" || end === "near") {
        connection.addTransceiver(stream.getTracks()[0] ?? "video", { direction, streams: [stream] });
      } else connection.addTrack(stream.getTracks()[0] ?? new MediaStreamTrack(), stream);
      connections.set(end, connection);
      waiting.push(first.promise);
    }
  }

  function watch(received: MediaStreamTrack, onFirst: () => void): void {
    const context = canvas();
    const video = document.createElement("video");
    let last: number | null = null;
    const look = () => {
      const now = performance.now();
      const seen = read(context, video);
      const drawn = seen === null || seen === last ? undefined : drawnAt[seen];
      last = seen ?? last;
      if (drawn !== undefined) {
        ages.push(now - drawn);
        onFirst();
      }
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    Object.assign(video, { srcObject: new MediaStream([received]), autoplay: true, muted: true });
    document.body.append(video);
  }

  function connectionOf(end: string): RTCPeerConnection {
    const connection = connections.get(end);
    if (!connection) throw new Error("nothing was opened");
    return connection;
  }

  async function describe(end: string): Promise<string> {
    const connection = connectionOf(end);
    await connection.setLocalDescription();
    await new Promise<void>((resolve) => {
      const look = () => connection.iceGatheringState === "complete" && resolve();
      connection.addEventListener("icegatheringstatechange", look);
      look();
    });
    return connection.localDescription?.sdp ?? "";
  }

  async function accept(end: string, type: "offer" | "answer", sdp: string): Promise<void> {
    await connectionOf(end).setRemoteDescription({ type, sdp });
  }

  async function shown(): Promise<void> {
    await Promise.all(waiting);
  }

  async function agesIn(ms: number): Promise<number[]> {
    ages = [];
    await new Promise((resolve) => setTimeout(resolve, ms));
    return ages;
  }
}
