import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A system command. @returns what it wrote @throws what it complained of */
export async function command(name: string, args: readonly string[], input?: string): Promise<string> {
  const running = run(name, [...args]);
  running.child.stdin?.end(input);
  return (await running).stdout;
}
