import type { ErrorCode } from "../schema/errors.ts";

/** What can fail on this side, before or instead of an answer of the server. */
export type ClientErrorCode =
  | "timeout"
  | "offline"
  | "closed"
  | "invalid_response"
  | "microphone_denied"
  | "microphone_missing"
  | "camera_denied"
  | "camera_missing"
  | "screen_denied";

export type SwitchboardErrorCode = ErrorCode | ClientErrorCode;

/** Every failure of the SDK. `code` is for programs, `message` for the app's developer. */
export class SwitchboardError extends Error {
  override readonly name = "SwitchboardError";
  readonly code: SwitchboardErrorCode;
  /** How long to wait before trying again, in ms; only with `rate_limited`. */
  readonly retryAfterMs: number | undefined;

  constructor(code: SwitchboardErrorCode, message: string, retryAfterMs?: number) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** A failure as a typed one; what is not ours says that something broke here. */
export function errorCode(error: unknown): SwitchboardErrorCode {
  return error instanceof SwitchboardError ? error.code : "internal";
}
