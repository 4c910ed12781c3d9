export interface Made {
  readonly value: string;
  /** Unix ms. */
  readonly until: number;
}

/**
 * A credential that an isolate keeps while it is good. Only what was made is kept, never the making: workerd lets no
 * request wait for another one's.
 */
export class Credential {
  #kept: (Made & { readonly of: string }) | null = null;

  /** @param of what it is made from: another key makes another one */
  async get<T>(of: string, make: () => Promise<Made | T>): Promise<string | T> {
    if (this.#kept?.of === of && Date.now() < this.#kept.until) return this.#kept.value;
    const made = await make();
    if (!isMade(made)) return made;
    this.#kept = { ...made, of };
    return made.value;
  }

  /** It was refused before its time. */
  drop(): void {
    this.#kept = null;
  }
}

function isMade<T>(made: Made | T): made is Made {
  return typeof made === "object" && made !== null && "value" in made && "until" in made;
}
