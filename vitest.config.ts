import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Nothing of a test run reaches for the network, and workerd keeps no traces of its own (they cost 2 to 16 times). */
const env = { CLOUDFLARE_CF_FETCH_ENABLED: "false", WRANGLER_SEND_METRICS: "false", X_LOCAL_OBSERVABILITY: "false" };
Object.assign(process.env, env);

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
    // Four at once also on two cores: most of what a test takes is waiting for processes and pages.
    maxWorkers: 4,
    projects: [
      {
        test: {
          name: "node",
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
          include: ["test/**/*.workerd.test.ts"],
          testTimeout: 20_000,
          // An object that logs when its test has ended would never be heard, and vitest would wait for it for ever.
          disableConsoleIntercept: true,
        },
      },
      {
        test: {
          name: "edge",
          include: ["test/**/*.edge.test.ts"],
          env: { ...env, ...secrets },
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/**/*.e2e.test.ts"],
          exclude: ["test/web/**", "node_modules/**"],
          env,
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "web",
          include: ["test/web/**/*.e2e.test.ts"],
          globalSetup: "test/support/web-site.ts",
          env,
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
