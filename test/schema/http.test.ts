import { describe, expect, test } from "vitest";
import { DevTokenRequest, HistoryQuery, UserRequest } from "../../schema/http.ts";
import { MAX_NAME, MAX_URL } from "../../schema/limits.ts";

const isAccepted = (name: unknown, avatarUrl?: unknown) => UserRequest.safeParse({ name, avatarUrl }).success;

describe("names", () => {
  test.each([
    ["spaces around it go", "  Ada ", "Ada"],
    ["any script", "アダ 🦉", "アダ 🦉"],
    ["the longest", "n".repeat(MAX_NAME), "n".repeat(MAX_NAME)],
  ])("%s", (_title, name, read) => {
    expect(DevTokenRequest.parse({ name }).name).toBe(read);
  });

  test.each([
    ["empty", ""],
    ["only spaces", "  \n "],
    ["too long", "n".repeat(MAX_NAME + 1)],
    ["NUL, which the history cannot keep", "a\0"],
    ["half a surrogate pair", "\udc00"],
    ["a number", 1],
    ["nothing", undefined],
  ])("refused: %s", (_title, name) => {
    expect(isAccepted(name)).toBe(false);
  });
});

describe("pictures", () => {
  test.each([["https://example.com/a.png"], ["http://127.0.0.1:8787/a.png"], [null], [undefined]])("%s", (url) => {
    expect(isAccepted("Ada", url)).toBe(true);
  });

  test.each([
    ["no URL", "a.png"],
    ["too long", `https://example.com/${"a".repeat(MAX_URL)}`],
    ["NUL, which the history cannot keep", "https://example.com/\0"],
    ["half a surrogate pair", "https://example.com/\ud800"],
    ["a script", "javascript:alert(1)"],
    ["the picture itself", "data:image/png;base64,AAAA"],
  ])("refused: %s", (_title, url) => {
    expect(isAccepted("Ada", url)).toBe(false);
  });
});

describe("a page of the history", () => {
  test.each([
    [{}, 20],
    [{ limit: "1" }, 1],
    [{ limit: "100" }, 100],
  ])("%j is %d calls", (query, limit) => {
    expect(HistoryQuery.parse(query).limit).toBe(limit);
  });

  test.each(["0", "101", "-1", "1.5", "ten", "", "NaN", "Infinity"])("refused: a limit of %j", (limit) => {
    expect(HistoryQuery.safeParse({ limit }).success).toBe(false);
  });
});
