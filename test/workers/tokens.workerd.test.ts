import { SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { authenticate } from "../../workers/http/auth.ts";
import { HttpRefusal } from "../../workers/http/errors.ts";
import { identify, signDevelopmentToken, TokensUnavailable } from "../../workers/tokens.ts";

const SECRET = "a-secret-of-the-tests-of-32-bytes";
const UNSET = { JWT_JWKS_URL: "", JWT_ISSUER: "", JWT_AUDIENCE: "" };
const ADA = crypto.randomUUID();

describe("[HTTP-1] a deployment with neither a secret nor the issuer's keys", () => {
  test.each([{}, { JWT_SECRET: "" }])(
    "says what it lacks, and takes no token for a good or a bad one: %j",
    async (secret) => {
      const token = await new SignJWT().setProtectedHeader({ alg: "HS256" }).setSubject(ADA).setExpirationTime("1h");
      const signed = await token.sign(new TextEncoder().encode(SECRET));
      const asked = identify(signed, { ...UNSET, ...secret });
      await expect(asked).rejects.toThrow(TokensUnavailable);
      await expect(asked).rejects.toThrow(/JWT_SECRET.*JWT_JWKS_URL/);
    },
  );

  test("answers 503, which is no reason to sign anybody out", async () => {
    const request = new Request("https://switchboard.test/api/calls", { headers: { authorization: "Bearer a.b.c" } });
    const refused: unknown = await authenticate(request, UNSET).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(HttpRefusal);
    expect(refused).toMatchObject({
      status: 503,
      refusal: { code: "internal", message: expect.stringMatching("JWT_SECRET") },
    });
  });

  test("signs no token for development", async () => {
    await expect(signDevelopmentToken(ADA, "Ada", UNSET)).rejects.toThrow(TokensUnavailable);
  });
});

test("one that has only a secret takes what was signed with it", async () => {
  const env = { ...UNSET, JWT_SECRET: SECRET };
  const token = await signDevelopmentToken(ADA, "Ada", env);
  expect(await identify(token, env)).toMatchObject({ userId: ADA, name: "Ada" });
  expect(await identify("a.b.c", env)).toBeNull();
});
