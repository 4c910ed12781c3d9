import worker, * as product from "../../../workers/index.ts";
import { countEntries, countQueue, countWrites, tally } from "./instruments.ts";
import { READING_PATH, ROWS_PATH, type RowsPerWrite } from "./tally.ts";

/** The product's Worker with counters around its objects, and two routes that read them. */

export { FleetObject } from "../../../workers/index.ts";

export class UserObject extends product.UserObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(countWrites("UserObject", ctx), countQueue("UserObject", env));
  }
}
countEntries("UserObject", UserObject.prototype, product.UserObject.prototype);

export class CallObject extends product.CallObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(countWrites("CallObject", ctx), countQueue("CallObject", env));
  }

  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    return pathname === ROWS_PATH ? Response.json(await rowsPerWrite(this.ctx.storage)) : super.fetch(request);
  }
}
countEntries("CallObject", CallObject.prototype, product.CallObject.prototype);

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === READING_PATH) return Response.json(tally.read());
    if (pathname === ROWS_PATH) return env.CALLS.getByName("rows").fetch(request);
    tally.add("worker request", "Worker", `${request.method} ${pathname.replace(/[0-9a-f-]{36}/, ":id")}`);
    return worker.fetch(request, env, ctx);
  },
  async queue(batch, env) {
    tally.add("not billed", "Worker", "queue batch");
    await worker.queue(batch, countQueue("Worker", env));
    tally.add("not billed", "Worker", "queue message consumed", batch.messages.length);
  },
} satisfies ExportedHandler<Env>;

/** SQLite's own account of its changes, for an object that nothing else uses. */
async function rowsPerWrite(storage: DurableObjectStorage): Promise<RowsPerWrite> {
  const changes = () => storage.sql.exec<{ n: number }>("SELECT total_changes() AS n").one().n;
  const from = changes();
  storage.kv.put("row", { written: 1 });
  const put = changes();
  storage.kv.put("row", { written: 2 });
  const overwrite = changes();
  await storage.setAlarm(Date.now() + 3_600_000);
  const setAlarm = changes();
  await storage.deleteAlarm();
  return { put: put - from, overwrite: overwrite - put, setAlarm: setAlarm - overwrite };
}
