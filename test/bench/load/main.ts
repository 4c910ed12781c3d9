import { Caller } from "./loops.ts";
import { type Device, Server } from "./people.ts";
import { type Answer, type Load, Order } from "./protocol.ts";

// The load client's process: one order at a time, over the channel to its parent.

let caller: Caller | undefined;
let connected: Device[] = [];

process.channel?.ref();
process.on("message", async (message) => {
  try {
    answer(await obey(Order.parse(message)));
  } catch (error) {
    answer({ type: "failed", message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});

async function obey(order: Order): Promise<Answer> {
  switch (order.type) {
    case "join":
      return join(new Server(order.url), order.pairs);
    case "connect_idle":
      connected.push(...(await new Server(order.url).devices(order.devices)));
      return { type: "done" };
    case "leave":
      return leave();
    case "load":
      return load(order);
  }
}

async function join(server: Server, count: number): Promise<Answer> {
  const pairs = await server.pairs(count);
  connected.push(...pairs.flatMap((pair) => [pair.caller, ...pair.callees]));
  caller = new Caller(server, pairs);
  return { type: "done" };
}

async function leave(): Promise<Answer> {
  for (const { line } of connected) line.close();
  await Promise.all(connected.map(({ line }) => line.closed()));
  connected = [];
  caller = undefined;
  return { type: "done" };
}

async function load(order: Load): Promise<Answer> {
  if (!caller) throw new Error("nobody has joined");
  return caller.run(order);
}

function answer(message: Answer): void {
  process.send?.(message);
}
