import { useEffect, useState } from "preact/hooks";
import type { CloseReason, Switchboard } from "../../client/index.ts";

/** `lost`: it is being tried to come back. */
export type Connection = "open" | "lost" | CloseReason;

/** A connection that comes back within this time is nobody's concern. */
const PATIENCE_MS = 1_200;

/** Good news at once, bad news after a moment. */
export function useConnection(switchboard: Switchboard): Connection {
  const [connection, setConnection] = useState<Connection>("open");
  useEffect(() => {
    // Of the loss: each attempt to come back is news as well, and none makes it any younger.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = (settled: Connection) => {
      clearTimeout(timer);
      timer = undefined;
      setConnection(settled);
    };
    const stop = switchboard.connection.subscribe(({ status, reason = "closed" }) => {
      switch (status) {
        case "open":
          settle("open");
          break;
        case "closed":
          settle(reason);
          break;
        case "connecting":
        case "waiting":
          timer ??= setTimeout(() => setConnection("lost"), PATIENCE_MS);
          break;
      }
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [switchboard]);
  return connection;
}
