import { EXIT_CODES, type SetupFailure } from "./exit-codes.mjs";

/** A failure that the person at the terminal can mend: what is wrong, and in `hint` what to do about it. */
export class SetupError extends Error {
  override readonly name = "SetupError";
  readonly reason: SetupFailure;
  readonly hint: string;

  constructor(reason: SetupFailure, message: string, hint: string) {
    super(message);
    this.reason = reason;
    this.hint = hint;
  }

  get exitCode(): number {
    return EXIT_CODES[this.reason];
  }
}

/** Prints what went wrong and returns the exit code that says so. A bug (anything but a SetupError) keeps its stack. */
export function reportFailure(error: unknown): number {
  if (error instanceof SetupError) {
    console.error(`\nerror: ${error.message}\n  ${error.hint.replaceAll("\n", "\n  ")}`);
    return error.exitCode;
  }
  console.error(`\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return 1;
}
