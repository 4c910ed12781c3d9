import { once } from "node:events";
import { createServer } from "node:http";
import { exportJWK, generateKeyPair, type JWK } from "jose";

export interface IssuerKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export async function issuerKey(alg: "ES256" | "RS256", kid: string): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

export interface KeyServer {
  readonly url: string;
  /** How often the keys were asked for. */
  asked: number;
  close(): Promise<void>;
}

/** An issuer's JSON Web Key Set (RFC 7517, section 5) on this machine. */
export async function serveKeys(keys: readonly JWK[]): Promise<KeyServer> {
  const server = createServer((_request, response) => {
    served.asked++;
    response.setHeader("content-type", "application/json").end(JSON.stringify({ keys }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the key server has no port");
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const served = { url: `http://127.0.0.1:${address.port}/jwks.json`, asked: 0, close };
  return served;
}
