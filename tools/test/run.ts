import { spawn } from "node:child_process";

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** In milliseconds, after which it is told to end. */
  readonly timeout?: number;
}

/**
 * Runs a command on this terminal; it goes with this process.
 * @returns its exit code, 127 if it could not be started, 1 if a signal ended it
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "inherit", "inherit"] });
    const abandon = () => child.kill();
    process.once("exit", abandon);
    child.once("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(127);
    });
    child.once("close", (code) => {
      process.off("exit", abandon);
      resolve(code ?? 1);
    });
  });
}
