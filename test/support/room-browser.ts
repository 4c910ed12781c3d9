import type { BrowserContext, Page } from "playwright-core";
import type { ReceivedTrack } from "../../schema/room.ts";
import type { FromNode, ToNode } from "../../schema/room-socket.ts";
import { recordConnections, watchErrors } from "./browser.ts";

/** What a page of the test has to know of itself. */
interface RoomPage {
  offer(): Promise<string>;
  takeAnswer(sdp: string): Promise<void>;
  answer(sdp: string): Promise<string>;
}

declare global {
  interface Window {
    readonly room: RoomPage;
  }
}

/** What of each track a browser has received. */
export interface Got {
  readonly participantId: string;
  readonly source: string;
  readonly packets: number;
  readonly frames: number;
  readonly height: number;
}

/** A browser in a room: a bare client that knows nothing but `RTCPeerConnection` and what the room says to it. */
export class BrowserInRoom {
  readonly errors: string[];
  /** What the room has refused. */
  readonly refused: FromNode[] = [];
  readonly #page: Page;
  readonly #tell: (message: ToNode) => Promise<void>;
  readonly id: string;
  #tracks: readonly ReceivedTrack[] = [];
  #offers = 0;
  #requests = 0;
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(id: string, page: Page, tell: (message: ToNode) => Promise<void>) {
    this.id = id;
    this.#page = page;
    this.#tell = tell;
    this.errors = watchErrors(page);
  }

  /** @param height of its camera, in pixels */
  static async open(
    context: BrowserContext,
    id: string,
    tell: (message: ToNode) => Promise<void>,
    height = 360,
  ): Promise<BrowserInRoom> {
    await recordConnections(context);
    const page = await context.newPage();
    // A secure context, which cameras need.
    await page.route("https://room.test/", (route) => route.fulfill({ contentType: "text/html", body: "" }));
    await page.goto("https://room.test/");
    const browser = new BrowserInRoom(id, page, tell);
    await page.evaluate(prepare, height);
    return browser;
  }

  /** How often the room has offered something to it. */
  get offers(): number {
    return this.#offers;
  }

  get page(): Page {
    return this.#page;
  }

  async join(): Promise<void> {
    const sdp = await this.#page.evaluate(() => window.room.offer());
    this.#send({ type: "participant_join", sdp, tracks: [], muted: [] });
  }

  /** What the room says to this participant. */
  hear(message: FromNode): void {
    this.#busy = this.#busy.then(() => this.#act(message));
  }

  async got(): Promise<Got[]> {
    const stats = await this.#page.evaluate(readStats);
    return this.#tracks.map(({ mid, participantId, source }) => {
      const { packets = 0, frames = 0, height = 0 } = stats[mid] ?? {};
      return { participantId, source, packets, frames, height };
    });
  }

  async #act(message: FromNode): Promise<void> {
    switch (message.type) {
      case "participant_joined":
      case "offer_answered":
        this.#tracks = message.tracks;
        return this.#page.evaluate((sdp) => window.room.takeAnswer(sdp), message.sdp);
      case "room_offer": {
        this.#offers += 1;
        this.#tracks = message.tracks;
        const sdp = await this.#page.evaluate((offer) => window.room.answer(offer), message.sdp);
        this.#send({ type: "participant_answer", negotiationId: message.negotiationId, sdp });
        return;
      }
      case "room_error":
        this.refused.push(message);
        return;
      case "room_alive":
      case "participant_tracks":
      case "video_wanted":
      case "dominant_speaker":
      case "participant_lost":
      case "room_draining":
      case "pipe_opened":
      case "pipe_track":
      case "pipe_track_changed":
        return;
    }
  }

  #send(message: Sent): void {
    this.#requests += 1;
    void this.#tell({ ...message, id: `${this.id}-${this.#requests}`, participantId: this.id });
  }
}

type Sent =
  | Omit<Extract<ToNode, { type: "participant_join" }>, "id" | "participantId">
  | Omit<Extract<ToNode, { type: "participant_answer" }>, "id" | "participantId">;

/** Runs in the page. */
async function prepare(height: number): Promise<void> {
  const video = { width: (height * 16) / 9, height };
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video });
  const connection = new RTCPeerConnection();
  for (const track of media.getAudioTracks())
    connection.addTransceiver(track, { direction: "sendonly", streams: [media] });
  for (const track of media.getVideoTracks()) {
    const sendEncodings = [4, 2, 1].map((scale, layer) => ({ rid: `r${layer}`, scaleResolutionDownBy: scale }));
    const { sender } = connection.addTransceiver(track, { direction: "sendonly", streams: [media], sendEncodings });
    // A busy machine must not make pictures smaller than they are asked for.
    await sender.setParameters({ ...sender.getParameters(), degradationPreference: "maintain-resolution" });
  }
  connection.addEventListener("track", ({ track }) => {
    const element = document.createElement(track.kind === "audio" ? "audio" : "video");
    element.srcObject = new MediaStream([track]);
    element.autoplay = true;
    element.muted = true;
    document.body.append(element);
  });
  const room: RoomPage = {
    async offer() {
      await connection.setLocalDescription();
      return connection.localDescription?.sdp ?? "";
    },
    async takeAnswer(sdp) {
      await connection.setRemoteDescription({ type: "answer", sdp });
    },
    async answer(sdp) {
      await connection.setRemoteDescription({ type: "offer", sdp });
      await connection.setLocalDescription();
      return connection.localDescription?.sdp ?? "";
    },
  };
  Object.assign(window, { room });
}

/** Runs in the page: what was received so far, by mid. */
async function readStats(): Promise<Record<string, { packets: number; frames: number; height: number }>> {
  const found: Record<string, { packets: number; frames: number; height: number }> = {};
  const stats = await window.connections.at(-1)?.getStats();
  stats?.forEach((report) => {
    if (report.type !== "inbound-rtp") return;
    const { mid, packetsReceived, framesDecoded, frameHeight } = report;
    found[mid] = { packets: packetsReceived ?? 0, frames: framesDecoded ?? 0, height: frameHeight ?? 0 };
  });
  return found;
}
