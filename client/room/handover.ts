import { type Carrier, isReplaced } from "./carriers.ts";
import type { Row } from "./people.ts";
import type { RoomConnection } from "./room-connection.ts";

/** What this device receives over the new connection, the others receive a round trip later. */
const LINGER_MS = 1_000;
/** How long an older connection goes on at most beside one that is up: somebody may never come over. */
const OVERLAP_MS = 10_000;

/** Make before break: the former connection goes on until the present one brings all that it did. */
export class Handover {
  #present: RoomConnection | null = null;
  #former: Carrier | null;
  #isUp = false;
  #overlap: ReturnType<typeof setTimeout> | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;

  constructor(former: Carrier | null) {
    this.#former = former;
  }

  get present(): RoomConnection | null {
    return this.#present;
  }

  /** The newest first. */
  get carriers(): readonly Carrier[] {
    return [this.#present, this.#former].filter((carrier) => carrier !== null);
  }

  /** One that never came up has nothing to go on with: what was before it stays. */
  replace(connection: RoomConnection): void {
    if (this.#present && this.#isUp) {
      this.#endFormer();
      this.#former = this.#present;
    } else this.#present?.close();
    this.#present = connection;
    this.#isUp = false;
  }

  /** The room is over: another connection carries the media already. */
  back(to: Carrier): void {
    this.#endFormer();
    this.#present?.close();
    this.#present = null;
    this.#isUp = false;
    this.#former = to;
  }

  /** The present connection carries media. */
  up(): void {
    this.#isUp = true;
    if (this.#former) this.#overlap ??= setTimeout(() => this.#endFormer(), OVERLAP_MS);
  }

  /** Something of what comes in has changed. */
  settle(rows: readonly Row[]): void {
    const [former, present] = [this.#former, this.#present];
    if (!former || !present || !this.#isUp || !isReplaced(former, present, rows)) return;
    this.#linger ??= setTimeout(() => this.#endFormer(), LINGER_MS);
  }

  close(): void {
    this.#endFormer();
    this.#present?.close();
    this.#present = null;
  }

  #endFormer(): void {
    clearTimeout(this.#overlap);
    clearTimeout(this.#linger);
    this.#overlap = undefined;
    this.#linger = undefined;
    const former = this.#former;
    this.#former = null;
    former?.close();
  }
}
