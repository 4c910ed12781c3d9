import { Worker } from "node:worker_threads";
import { log, problem } from "../log.ts";
import type { Order, Report, Voice } from "./listening-messages.ts";

/** Listens to one room. */
export interface Ear {
  /** Of the loopback, UDP: where the room's sound is to be sent. */
  readonly port: number;
  follow(ssrc: number, voice: Voice): void;
  forget(ssrc: number): void;
  gone(participantId: string): void;
  close(): void;
}

interface Room {
  readonly onSpeaker: (participantId: string) => void;
  readonly opened: PromiseWithResolvers<number>;
}

/** A thread that hears all rooms of this process: it sleeps between its samples, and a bell wakes it before. */
export class ListeningThread {
  readonly #worker: Worker;
  readonly #bell: Int32Array;
  readonly #rooms = new Map<number, Room>();
  #count = 0;
  isGone = false;

  constructor(code = new URL("./listening-thread.ts", import.meta.url)) {
    const bell = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    this.#bell = new Int32Array(bell);
    this.#worker = new Worker(code, { workerData: bell, execArgv: [] });
    this.#worker.on("message", (report: Report) => this.#hear(report));
    this.#worker.on("error", (error) => this.#failed(error));
    this.#worker.on("exit", () => this.#failed(new Error("the listening thread has ended")));
    this.#worker.unref();
  }

  async listen(onSpeaker: Room["onSpeaker"]): Promise<Ear> {
    const room = ++this.#count;
    const opened = Promise.withResolvers<number>();
    this.#rooms.set(room, { onSpeaker, opened });
    this.#say({ type: "open", room });
    const port = await opened.promise;
    return {
      port,
      follow: (ssrc, voice) => this.#say({ type: "follow", room, ssrc, voice }),
      forget: (ssrc) => this.#say({ type: "forget", room, ssrc }),
      gone: (participantId) => this.#say({ type: "gone", room, participantId }),
      close: () => {
        this.#rooms.delete(room);
        this.#say({ type: "close", room });
      },
    };
  }

  #say(order: Order): void {
    this.#worker.postMessage(order);
    Atomics.store(this.#bell, 0, 1);
    Atomics.notify(this.#bell, 0);
  }

  #hear(report: Report): void {
    const room = this.#rooms.get(report.room);
    switch (report.type) {
      case "opened":
        room?.opened.resolve(report.port);
        break;
      case "failed":
        this.#rooms.delete(report.room);
        room?.opened.reject(new Error(report.reason));
        break;
      case "speaker":
        room?.onSpeaker(report.participantId);
        break;
    }
  }

  /** Rooms go on, and nobody is told who speaks; those that open later have a thread again. */
  #failed(error: unknown): void {
    if (this.isGone) return;
    this.isGone = true;
    log("sfu_listening_thread_failed", { reason: problem(error) });
    for (const { opened } of this.#rooms.values()) opened.reject(error);
    this.#rooms.clear();
  }
}

let thread: ListeningThread | undefined;

/** The thread that runs, or a new one: a node starts it with itself, so that no room waits for it. */
export function startListening(): ListeningThread {
  if (!thread || thread.isGone) thread = new ListeningThread();
  return thread;
}

/** @param onSpeaker another participant than before speaks loudest */
export function listen(onSpeaker: (participantId: string) => void): Promise<Ear> {
  return startListening().listen(onSpeaker);
}
