import { DurableObject } from "cloudflare:workers";
export class UserObject extends DurableObject {}
export class CallObject extends DurableObject {}
export class FleetObject extends DurableObject {}
export default {
  async fetch(): Promise<Response> {
    return new Response("x");
  },
};
