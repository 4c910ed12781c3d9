import { defineConfig } from "drizzle-kit";

/** `drizzle-kit migrate` needs to know where; `generate` does not. */
const url = process.env.DATABASE_URL;

export default defineConfig({
  dialect: "postgresql",
  schema: "./schema/db/tables.ts",
  out: "./schema/db/migrations",
  ...(url !== undefined && { dbCredentials: { url } }),
});
