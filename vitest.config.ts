import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { PATIENCE_MS } from "./test/support/patience.ts";

/** Nothing of a test run reaches for the network, and workerd keeps no traces of its own (they cost 2 to 16 times). */
const env = { CLOUDFLARE_CF_FETCH_ENABLED: "false", WRANGLER_SEND_METRICS: "false", X_LOCAL_OBSERVABILITY: "false" };
Object.assign(process.env, env);

/** What a test may take, in ms. None measures time (a bench does), so a busy machine makes none of them fail. */
const patience = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: PATIENCE_MS } } };

/**
 * First what asks for little more than a processor, then what opens browsers and starts whole systems, fewer at once:
 * with all of it beside each other, two cores come late for the deadlines of the protocol.
 */
const light = { ...patience, maxWorkers: 3, sequence: { groupOrder: 0 } };
const heavy = { ...patience, maxWorkers: 2, sequence: { groupOrder: 1 } };

const secrets = {
  DATABASE_URL: "postgres://switchboard:switchboard@localhost/switchboard",
  JWT_SECRET: "a-secret-of-the-tests-of-32-bytes",
  SERVER_KEY: "server-key-of-the-tests",
  SFU_NODE_KEY: "node-key-of-the-tests",
  CALL_TOKEN_SECRET: "call-tokens-of-the-tests-of-32-bytes",
  TURN_SECRET: "turn-secret-of-the-tests",
};

/** The folder says what is tested, the ending says where it runs. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "node",
          ...light,
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.{workerd,edge,e2e}.test.ts", "node_modules/**"],
          env,
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              // The tests call each other far more often than people do.
              bindings: {
                DEVELOPMENT: "on",
                INITIATION_BURST: "10000",
                PAIR_BURST: "10000",
                // Only where a test lets it pass.
                ROOM_BACK_TO_PAIR_MS: "600000",
                ...secrets,
              },
              // Queues that nobody reads: there is no database, and what is tried again for ever piles up.
              queueProducers: {
                LEDGER: { queueName: "unread-ledger" },
                DEAD_LETTERS: { queueName: "unread-dead-letters" },
                PUSHES: { queueName: "unread-push" },
              },
            },
          }),
        ],
        test: {
          name: "workerd",
          ...light,
          include: ["test/**/*.workerd.test.ts"],
          // An object that logs when its test has ended would never be heard, and vitest would wait for it for ever.
          disableConsoleIntercept: true,
        },
      },
      {
        test: {
          name: "edge",
          ...light,
          include: ["test/**/*.edge.test.ts"],
          env: { ...env, ...secrets },
        },
      },
      {
        test: {
          name: "e2e",
          ...heavy,
          include: ["test/**/*.e2e.test.ts"],
          exclude: ["test/web/**", "node_modules/**"],
          env,
        },
      },
      {
        test: {
          name: "web",
          ...heavy,
          include: ["test/web/**/*.e2e.test.ts"],
          globalSetup: "test/support/web-site.ts",
          env,
        },
      },
    ],
  },
});
