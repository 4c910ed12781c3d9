import { app } from "./http/app.ts";
import { consume } from "./ledger/consumer.ts";

export { CallObject } from "./call/call-object.ts";
export { FleetObject } from "./fleet/fleet-object.ts";
export { UserObject } from "./user/user-object.ts";

export default {
  fetch: app.fetch,
  queue: consume,
} satisfies ExportedHandler<Env>;
