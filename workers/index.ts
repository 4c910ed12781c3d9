import { app } from "./http/app.ts";
import { consume as consumeLedger } from "./ledger/consumer.ts";
import { consume as consumePushes } from "./push/consumer.ts";

export { CallObject } from "./call/call-object.ts";
export { FleetObject } from "./fleet/fleet-object.ts";
export { UserObject } from "./user/user-object.ts";

/** As wrangler.toml names it. */
const PUSH_QUEUE = "switchboard-push";

export default {
  fetch: app.fetch,
  queue: (batch, env) => (batch.queue === PUSH_QUEUE ? consumePushes(batch, env) : consumeLedger(batch, env)),
} satisfies ExportedHandler<Env>;
