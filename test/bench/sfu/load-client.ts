import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type Call, type Person, Switchboard } from "../../../client/index.ts";
import { DevTokenResponse } from "../../../schema/http.ts";
import { FakeDevices, FakeMediaStream } from "../../support/fake-media.ts";
import { Arrivals } from "./arrivals.ts";
import type { Sending } from "./load-media.ts";
import { LoadRoomPeer } from "./load-room-peer.ts";

/** The SDK puts each track that it plays into one. */
Object.assign(globalThis, { MediaStream: FakeMediaStream });

/** A device with the SDK and without a browser: its rooms are real ones, its camera and its screen are not. */
export class LoadClient {
  readonly person: Person;
  readonly arrivals = new Arrivals();
  readonly #switchboard: Switchboard;
  #call: Call | null = null;

  private constructor(person: Person, switchboard: Switchboard) {
    this.person = person;
    this.#switchboard = switchboard;
    switchboard.incoming.subscribe((call) => {
      this.#call = call;
      void call.answer({ video: true });
    });
  }

  static async open(url: string, name: string, sending: Sending): Promise<LoadClient> {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${url}/api/dev/token`, { method: "POST", headers, body: JSON.stringify({ name }) });
    const { token, userId } = DevTokenResponse.parse(await answer.json());
    const switchboard = new Switchboard({
      url,
      token: () => token,
      deviceId: randomUUID(),
      deviceType: "Web",
      platform: { getUserMedia: new FakeDevices().getUserMedia },
      openRoomPeer: ({ events }) => new LoadRoomPeer(events, sending, (tag) => client.arrivals.heard(tag)),
    });
    const client = new LoadClient({ userId, name }, switchboard);
    const open = new Promise<void>((resolve) => {
      switchboard.connection.subscribe(({ status }) => status === "open" && resolve());
    });
    switchboard.connect();
    await open;
    return client;
  }

  callGroup(people: readonly [Person, ...Person[]]): void {
    this.#call = this.#switchboard.callGroup(people, { video: true });
  }

  get call(): Call | null {
    return this.#call;
  }

  close(): void {
    this.#switchboard.close();
  }
}

const LOOK_MS = 20;

/** Until everybody hears so many others. @throws when that does not come */
export async function untilHeard(clients: readonly LoadClient[], others: number, patienceMs: number): Promise<void> {
  const from = performance.now();
  const isHeard = () => clients.every(({ arrivals }) => arrivals.heardSince(from) >= others);
  while (!isHeard()) {
    if (performance.now() - from > patienceMs) {
      const heard = clients.map(({ arrivals }) => arrivals.heardSince(from)).join(", ");
      throw new Error(`after ${patienceMs} ms the clients hear ${heard} of the ${others} others`);
    }
    await delay(LOOK_MS);
  }
}
