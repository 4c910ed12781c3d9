import { failure, log, short } from "../log.ts";
import type { Event } from "./events.ts";
import { isInvited } from "./people.ts";
import type { Call, CallView, Told } from "./state.ts";
import { concerns, toldOf } from "./told.ts";

interface Source {
  readonly view: (userId: string) => CallView | undefined;
  readonly heard: (userId: string) => Told | undefined;
  readonly step: (event: Event) => void;
}

/** Brings the participants' objects up to date, each with the newest view; what fails is tried again by the alarm. */
export class Delivery {
  readonly #users: Env["USERS"];
  readonly #source: Source;
  /** Users whose object is being told; one message at a time, so that what they hear is in order. */
  readonly #telling = new Map<string, Promise<void>>();

  constructor(users: Env["USERS"], source: Source) {
    this.#users = users;
    this.#source = source;
  }

  /** @returns when the user's object is up to date, or could not be reached */
  async tell(userId: string): Promise<void> {
    const telling = this.#telling.get(userId);
    if (telling || !this.hasNews(userId)) return telling;
    const told = this.#tell(userId);
    this.#telling.set(userId, told);
    return told;
  }

  /** Whom the call rings, and whether it may, is only remembered: after an eviction it is asked again before it counts. */
  async catchUp({ participants, heard }: Call): Promise<void> {
    const unheard = participants.filter((participant) => isInvited(participant) && !heard[participant.userId]);
    await Promise.all(unheard.map(({ userId }) => this.tell(userId)));
  }

  /** In one turn with the last look for news it takes itself off, so that none falls in between. */
  async #tell(userId: string): Promise<void> {
    await Promise.resolve();
    try {
      for (let view = this.#news(userId); view; view = this.#news(userId)) {
        const { isKnown, ...taken } = await this.#users.getByName(userId).callChanged(view);
        if (!isKnown) return this.#source.step({ type: "unknown", userId });
        this.#source.step({ type: "delivered", userId, told: toldOf(view), ...taken });
      }
    } catch (error) {
      log("delivery_failed", { user: short(userId), failure: failure(error) });
      this.#source.step({ type: "delivery_failed", userId });
    } finally {
      this.#telling.delete(userId);
    }
  }

  hasNews(userId: string): boolean {
    return this.#news(userId) !== undefined;
  }

  #news(userId: string): CallView | undefined {
    const view = this.#source.view(userId);
    return view && concerns(this.#source.heard(userId), view) ? view : undefined;
  }
}
