import { HealthResponse } from "../../../schema/http.ts";
import { type Account, introduce } from "../accounts.ts";
import { SECRETS } from "../edge.ts";
import { Site } from "../site.ts";
import { until } from "../until.ts";
import type { Home } from "./home.ts";
import type { Host } from "./host.ts";
import { Internet, TURN_VARS } from "./internet.ts";
import type { Networks } from "./matrix.ts";
import { Resident } from "./resident.ts";

/** The two call each other far more often than people do. */
const OFTEN = { INITIATION_BURST: "10000", PAIR_BURST: "10000" };

interface Accounts {
  readonly ada: Account;
  readonly bob: Account;
  readonly eve: Account;
}

/** The real edge, a coturn, and two homes with somebody in each; and a second one in the first home. */
export class TwoHomes {
  readonly site: Site;
  readonly internet: Internet;
  readonly homes: { readonly ada: Home; readonly bob: Home };
  readonly hosts: { readonly ada: Host; readonly adasNeighbour: Host; readonly bob: Host };
  readonly #accounts: Accounts;
  #residents: Resident[] = [];

  private constructor(parts: Pick<TwoHomes, "site" | "internet" | "homes" | "hosts">, accounts: Accounts) {
    this.site = parts.site;
    this.internet = parts.internet;
    this.homes = parts.homes;
    this.hosts = parts.hosts;
    this.#accounts = accounts;
  }

  static async start(): Promise<TwoHomes> {
    const site = await Site.start({ ...TURN_VARS, ...OFTEN });
    try {
      const internet = await Internet.start({ edgeUrl: site.url, turnSecret: SECRETS.TURN_SECRET });
      const homes = { ada: await internet.home("port restricted"), bob: await internet.home("port restricted") };
      const hosts = {
        ada: await homes.ada.host(),
        adasNeighbour: await homes.ada.host(),
        bob: await homes.bob.host(),
      };
      const [ada, bob, eve] = await introduce(site.url, ["Ada", "Bob", "Eve"]);
      if (!ada || !bob || !eve) throw new Error("somebody is missing");
      return new TwoHomes({ site, internet, homes, hosts }, { ada, bob, eve });
    } catch (error) {
      await Internet.remove();
      await site.close();
      throw error;
    }
  }

  /** For rooms: back when the edge counts it. */
  async startNode(): Promise<void> {
    await this.internet.startNode(SECRETS.SFU_NODE_KEY);
    const health = async () => HealthResponse.parse(await (await fetch(`${this.site.url}/health`)).json());
    await until(async () => (await health()).services.sfu.nodes > 0, "the media node");
  }

  /** Both with the page open, between such networks. */
  async residentsOf({ between }: Networks): Promise<{ ada: Resident; bob: Resident }> {
    if (between === "one network") return this.residents(this.hosts.adasNeighbour);
    const [ada, bob] = between;
    await Promise.all([this.homes.ada.behind(ada), this.homes.bob.behind(bob)]);
    return this.residents();
  }

  /** Both with the page open; Bob may be elsewhere than at home. */
  async residents(bobs = this.hosts.bob): Promise<{ ada: Resident; bob: Resident }> {
    const [ada, bob] = await Promise.all([
      this.#open(this.hosts.ada, this.#accounts.ada),
      this.#open(bobs, this.#accounts.bob),
    ]);
    return { ada, bob };
  }

  /** And Eve, who is at Ada's. */
  async three(): Promise<{ ada: Resident; bob: Resident; eve: Resident }> {
    const [both, eve] = await Promise.all([this.residents(), this.#open(this.hosts.adasNeighbour, this.#accounts.eve)]);
    return { ...both, eve };
  }

  /** After each test. @returns what went wrong inside of pages */
  async closePages(): Promise<string[]> {
    const residents = this.#residents.splice(0);
    await Promise.all(residents.map((resident) => resident.close()));
    return residents.flatMap(({ errors }) => errors);
  }

  async close(): Promise<void> {
    await this.internet.close();
    await this.site.close();
  }

  async #open(host: Host, account: Account): Promise<Resident> {
    const resident = await Resident.open(await host.browser(), account);
    this.#residents.push(resident);
    return resident;
  }
}
