import { expect, it, vi } from "vitest";
import { EXIT_CODES } from "../../../tools/setup/exit-codes.mjs";
import { reportFailure, SetupError } from "../../../tools/setup/setup-error.ts";

it("gives every failure a code of its own, none of which a shell or node uses", () => {
  const codes = Object.values(EXIT_CODES);
  expect(new Set(codes).size).toBe(codes.length);
  for (const code of codes) expect(code > 9 && code < 126).toBe(true);
});

it("tells a person what is wrong and what to do, and shows the stack of a bug only", () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  expect(reportFailure(new SetupError("port_in_use", "port 1 is in use", "Choose another."))).toBe(13);
  expect(error.mock.calls.join()).toContain("error: port 1 is in use\n  Choose another.");
  expect(error.mock.calls.join()).not.toContain("at ");
  expect(reportFailure(new TypeError("no such thing"))).toBe(1);
  expect(error.mock.calls.join()).toContain("TypeError: no such thing\n    at ");
  error.mockRestore();
});
