import nodeDataChannel, { type PeerConnection } from "node-datachannel";
import type { IceCandidate } from "../../schema/client-messages.ts";
import { PATIENCE_MS } from "./patience.ts";

/** An app's WebRTC stack that puts all of its candidates into its descriptions (no trickle ICE, RFC 8838, 3). */
export class UntrickledPeer {
  readonly #connection: PeerConnection;
  readonly #gathered = Promise.withResolvers<void>();
  readonly #connected = Promise.withResolvers<void>();

  constructor(name: string) {
    this.#connection = new nodeDataChannel.PeerConnection(name, { iceServers: [] });
    this.#connection.onGatheringStateChange((state) => {
      if (state === "complete") this.#gathered.resolve();
    });
    this.#connection.onStateChange((state) => {
      if (state === "connected") this.#connected.resolve();
    });
  }

  async offer(): Promise<string> {
    this.#connection.createDataChannel("media");
    return this.#described();
  }

  async answer(offer: string): Promise<string> {
    this.#connection.setRemoteDescription(offer, "offer");
    return this.#described();
  }

  takeAnswer(sdp: string): void {
    this.#connection.setRemoteDescription(sdp, "answer");
  }

  add({ candidate, sdpMid }: IceCandidate): void {
    this.#connection.addRemoteCandidate(candidate, sdpMid ?? "0");
  }

  async connected(): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error("the connection did not come about")), PATIENCE_MS);
    await Promise.race([this.#connected.promise, promise]).finally(() => clearTimeout(timer));
  }

  close(): void {
    this.#connection.close();
  }

  async #described(): Promise<string> {
    await this.#gathered.promise;
    return this.#connection.localDescription()?.sdp ?? "";
  }
}
