import { describe, expect, it } from "vitest";
import { failureOf } from "../../../workers/ledger/failure.ts";

const thrown = (code?: string) => new Error("Failed query", { cause: Object.assign(new Error("no"), { code }) });

describe("what the database says of a write", () => {
  it.each([
    ["a foreign key", "23503"],
    ["a value too long", "22001"],
    ["a character that it cannot hold", "22P05"],
    ["the same row twice in one statement", "21000"],
    ["a trigger's exception", "P0001"],
    ["a row too large for its index", "54000"],
  ])("%s (%s) is about the event", (_, code) => {
    expect(failureOf(thrown(code))).toEqual({ kind: "refused", code, constraint: null });
  });

  it.each([
    ["a connection that broke", "08006"],
    ["a wrong password", "28P01"],
    ["a deadlock", "40P01"],
    ["a missing table", "42P01"],
    ["too many connections", "53300"],
    ["a server that shuts down", "57P01"],
    ["Neon's own trouble", "XX000"],
    ["a read-only replica", "25006"],
  ])("%s (%s) is not", (_, code) => {
    expect(failureOf(thrown(code))).toEqual({ kind: "unavailable", code });
  });

  it.each([
    ["a refused connection", Object.assign(new Error("x"), { code: "ECONNREFUSED" })],
    ["no code", thrown()],
    ["a string", "boom"],
    ["nothing", undefined],
  ])("%s is no answer", (_, error) => {
    expect(failureOf(error)).toEqual({ kind: "unavailable", code: null });
  });

  it("names the constraint, and reads an error that nobody wrapped", () => {
    const error = Object.assign(new Error("no"), { code: "23503", constraint: "calls_initiator_id_users_id_fk" });
    expect(failureOf(error)).toEqual({ kind: "refused", code: "23503", constraint: error.constraint });
  });
});
