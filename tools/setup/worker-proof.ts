import { spawn } from "node:child_process";

/** What the worker exits with when it is not started by mediasoup: it linked, loaded and ran. */
const NO_PARENT = 41;
const PROOF_MS = 5_000;

/** Whether a mediasoup worker runs on this system, with its libraries: takes some milliseconds. */
export async function provesToRun(binary: string): Promise<boolean> {
  const child = spawn(binary, { env: {}, stdio: "ignore", timeout: PROOF_MS, killSignal: "SIGKILL" });
  return new Promise((resolve) => {
    child.once("error", () => resolve(false));
    child.once("exit", (code) => resolve(code === NO_PARENT));
  });
}
