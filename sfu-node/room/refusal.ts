import type { ErrorCode } from "../../schema/errors.ts";

/** What a client sent cannot be done, in words for its developer; nothing of the room has changed. */
export class RoomRefusal extends Error {
  override readonly name = "RoomRefusal";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
