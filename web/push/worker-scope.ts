/** As much of a service worker's surroundings (W3C Service Workers, section 4) as is used: it has no DOM. */
export interface WorkerScope {
  readonly location: { readonly origin: string };
  readonly registration: Pick<ServiceWorkerRegistration, "showNotification">;
  readonly clients: {
    matchAll(options: {
      readonly type: "window";
      readonly includeUncontrolled: boolean;
    }): Promise<readonly WindowClient[]>;
    openWindow(url: string): Promise<unknown>;
    claim(): Promise<void>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "push", listener: (event: Pushed) => void): void;
  addEventListener(type: "notificationclick", listener: (event: Pressed) => void): void;
}

/** Of the page. */
export interface WindowClient {
  focus(): Promise<unknown>;
  postMessage(message: unknown, transfer: readonly MessagePort[]): void;
}

interface Extendable {
  waitUntil(work: Promise<unknown>): void;
}

interface Pushed extends Extendable {
  readonly data: { text(): string } | null;
}

interface Pressed extends Extendable {
  readonly action: string;
  readonly notification: { readonly data: unknown; close(): void };
}
