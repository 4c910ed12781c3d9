/** Devices that are registering: what is for one of them waits until it has been told that it is there. */
export class Arrivals {
  readonly #arriving = new Map<string, Promise<void>>();

  add(deviceId: string, registered: Promise<void>): void {
    this.#arriving.set(deviceId, registered);
    void registered.finally(() => {
      if (this.#arriving.get(deviceId) === registered) this.#arriving.delete(deviceId);
    });
  }

  async of(deviceId: string): Promise<void> {
    await this.#arriving.get(deviceId);
  }
}
