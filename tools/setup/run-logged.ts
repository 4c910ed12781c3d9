import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { killGroup } from "./part.ts";

export interface LoggedRun {
  readonly env: NodeJS.ProcessEnv;
  /** What the command says, on either stream, is appended here. */
  readonly logFile: string;
  readonly onLine?: (line: string) => void;
}

/** What a shell says of a command that it cannot find or start. */
const NOT_STARTED = 127;

/**
 * Goes with this process, and all that it started with it: a compiler would otherwise go on for a minute after Ctrl-C.
 * @returns the exit code; 127 if the command could not be started, 1 if a signal ended it
 */
export async function runLogged(command: string, args: readonly string[], run: LoggedRun): Promise<number> {
  const log = createWriteStream(run.logFile, { flags: "a" });
  log.write(`$ ${command} ${args.join(" ")}\n`);
  const child = spawn(command, args, { env: run.env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const abandon = () => child.pid && killGroup(child.pid, "SIGTERM");
  process.once("exit", abandon);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const { onLine } = run;
  if (onLine) createInterface({ input: child.stdout }).on("line", onLine);
  const code = await new Promise<number>((resolve) => {
    child.once("error", (error) => {
      log.write(`${error.message}\n`);
      resolve(NOT_STARTED);
    });
    child.once("close", (exitCode) => resolve(exitCode ?? 1));
  });
  process.off("exit", abandon);
  log.end();
  await finished(log);
  return code;
}

/** The last lines of a log, for the message of a failure. */
export async function lastLines(logFile: string, count: number): Promise<string> {
  const text = await readFile(logFile, "utf8");
  return text.trimEnd().split("\n").slice(-count).join("\n");
}
