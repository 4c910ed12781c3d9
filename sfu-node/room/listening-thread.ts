import { createSocket, type Socket } from "node:dgram";
import { parentPort, workerData } from "node:worker_threads";
import { audioLevel } from "./audio-level.ts";
import type { Order, Report, Voice } from "./listening-messages.ts";
import * as speaker from "./speaker.ts";

/**
 * The thread that hears all rooms. A datagram that wakes a process costs it 50 us and more, ten times what is done with
 * it: so this one sleeps until the next sample is due, and then reads all that has come by then.
 */

const LOOPBACK = "127.0.0.1";

/** In a row: what a room of 32 who all speak brings in 100 ms, and half as much again. */
const MAX_LOOKS = 8;

/** One room: who speaks in it. */
class RoomEar {
  readonly #socket: Socket;
  readonly #onSpeaker: (participantId: string) => void;
  readonly #voices = new Map<number, Voice>();
  readonly #peaks = new Map<string, number>();
  #speakers = speaker.NOBODY_SPEAKS;

  constructor(onOpen: (port: number) => void, onFailure: (reason: string) => void, onSpeaker: (id: string) => void) {
    this.#onSpeaker = onSpeaker;
    this.#socket = createSocket("udp4");
    this.#socket.on("message", (packet) => this.#hear(packet));
    this.#socket.on("error", ({ message }) => onFailure(message));
    this.#socket.bind(0, LOOPBACK, () => onOpen(this.#socket.address().port));
  }

  follow(ssrc: number, voice: Voice): void {
    this.#voices.set(ssrc, voice);
  }

  forget(ssrc: number): void {
    this.#voices.delete(ssrc);
  }

  gone(participantId: string): void {
    this.#speakers = speaker.gone(this.#speakers, participantId);
  }

  /** The loudest level of each who was heard since the last time, linear from 0 to 1, is their sample. */
  sample(): void {
    const before = this.#speakers.dominant;
    this.#speakers = speaker.sample(this.#speakers, this.#peaks);
    this.#peaks.clear();
    const { dominant } = this.#speakers;
    if (dominant !== null && dominant !== before) this.#onSpeaker(dominant);
  }

  close(): void {
    this.#socket.close();
  }

  /** RTCP comes here too (RFC 5761): its fields make it nobody's packet. */
  #hear(packet: Buffer): void {
    heard++;
    const voice = packet.length < 12 ? undefined : this.#voices.get(packet.readUInt32BE(8));
    const level = voice ? audioLevel(packet, voice.id) : null;
    if (!voice || level === null) return;
    this.#peaks.set(voice.participantId, Math.max(level, this.#peaks.get(voice.participantId) ?? 0));
  }
}

const bell = new Int32Array(workerData);
const rooms = new Map<number, RoomEar>();
/** Datagrams since it was last looked. */
let heard = 0;
/** How often it has looked since it slept. */
let looks = 0;
let isAwake = false;
let sampleAt = 0;

parentPort?.on("message", (order: Order) => obey(order));

function obey(order: Order): void {
  const { room } = order;
  switch (order.type) {
    case "open":
      open(room);
      break;
    case "follow":
      rooms.get(room)?.follow(order.ssrc, order.voice);
      break;
    case "forget":
      rooms.get(room)?.forget(order.ssrc);
      break;
    case "gone":
      rooms.get(room)?.gone(order.participantId);
      break;
    case "close":
      rooms.get(room)?.close();
      rooms.delete(room);
      break;
  }
}

function open(room: number): void {
  const opened = (port: number) => tell({ type: "opened", room, port });
  const failed = (reason: string) => {
    rooms.delete(room);
    tell({ type: "failed", room, reason });
  };
  rooms.set(room, new RoomEar(opened, failed, (participantId) => tell({ type: "speaker", room, participantId })));
  if (isAwake) return;
  isAwake = true;
  sampleAt = performance.now() + speaker.SAMPLE_MS;
  setImmediate(look);
}

function tell(report: Report): void {
  parentPort?.postMessage(report);
}

/** After the loop has read its sockets, of each 32 datagrams at most (libuv): until nothing more comes, or enough has. */
function look(): void {
  if (rooms.size === 0) {
    isAwake = false;
    return;
  }
  if (heard === 0 || ++looks >= MAX_LOOKS) sleep();
  heard = 0;
  setImmediate(look);
}

/** Until the next sample, or until a room says something. */
function sleep(): void {
  const now = performance.now();
  if (now >= sampleAt) {
    for (const room of rooms.values()) room.sample();
    // Samples that were missed are not made up for.
    sampleAt = Math.max(sampleAt + speaker.SAMPLE_MS, now);
  }
  Atomics.wait(bell, 0, 0, Math.max(0, sampleAt - performance.now()));
  Atomics.store(bell, 0, 0);
  looks = 0;
}
