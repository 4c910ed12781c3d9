import { Host, type Place } from "./host.ts";
import { cable, Namespace, type Plug } from "./namespace.ts";
import { type Nat, rules } from "./nat.ts";

interface HomeOptions {
  readonly number: number;
  /** A cable into the internet, with a public address at its end. */
  readonly uplink: () => Uplink;
  readonly nat: Nat;
}

export interface Uplink {
  readonly plug: Plug;
  readonly address: string;
}

/** A network of private addresses behind a router. */
export class Home {
  readonly #router: Namespace;
  readonly #number: number;
  readonly #uplink: () => Uplink;
  readonly #hosts: Host[] = [];
  #places = 0;

  private constructor(router: Namespace, { number, uplink }: HomeOptions) {
    this.#router = router;
    this.#number = number;
    this.#uplink = uplink;
  }

  static async build(options: HomeOptions): Promise<Home> {
    const router = await Namespace.create(`home${options.number}`);
    const home = new Home(router, options);
    await router.run("sh", ["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
    await router.bridge("lan", `${home.#address(1)}/24`);
    await home.#connect();
    await home.behind(options.nat);
    return home;
  }

  /** Its provider goes away and another takes over, with another address: no machine in it is told. */
  async changeProvider(): Promise<void> {
    await this.#router.ip("link delete wan");
    await this.#connect();
  }

  /** Another router, in effect. What goes on already stays as it is. */
  async behind(nat: Nat): Promise<void> {
    await this.#router.filter(rules(nat, this.#address(10)));
  }

  /** One more machine. The first is the one that a full cone lets everybody reach. */
  async host(): Promise<Host> {
    const host = await Host.build(`host${this.#number}-${this.#hosts.length}`);
    this.#hosts.push(host);
    await host.moveTo(this);
    return host;
  }

  /** Where the next machine is plugged in, and the address that it gets there. */
  place(): Place {
    const place = this.#places++;
    return {
      plug: { at: this.#router, name: `port${place}`, bridge: "lan" },
      address: `${this.#address(10 + place)}/24`,
      gateway: this.#address(1),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.close()));
  }

  async #connect(): Promise<void> {
    const { plug, address } = this.#uplink();
    await cable({ at: this.#router, name: "wan", address }, plug);
  }

  #address(host: number): string {
    return `192.168.${this.#number}.${host}`;
  }
}
