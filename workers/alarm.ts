/**
 * The one alarm of an object, for all its deadlines. Setting it is a row written, so it is moved
 * earlier when it must be, and later only where that saves a wake-up.
 */
export class Alarm {
  readonly #ctx: DurableObjectState;
  /** Unix ms; null while none is set. */
  #at: number | null = null;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
    ctx.blockConcurrencyWhile(async () => {
      this.#at = await ctx.storage.getAlarm();
    });
  }

  /** An alarm that is set for an earlier time stays, and finds then what is next. */
  arm(deadline: number | null, mayMoveLater = false): void {
    if (deadline === null || deadline === this.#at) return;
    if (this.#at !== null && deadline > this.#at && !mayMoveLater) return;
    this.#at = deadline;
    this.#ctx.waitUntil(this.#ctx.storage.setAlarm(deadline));
  }

  /** The platform has fired it. */
  fired(): void {
    this.#at = null;
  }

  async disarm(): Promise<void> {
    this.#at = null;
    await this.#ctx.storage.deleteAlarm();
  }
}
