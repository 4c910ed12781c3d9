import { build, defineConfig, type Plugin } from "vite";

const target = "es2022";

/** Rings while no window is open: one classic script, which every browser takes as a service worker. */
const pushWorker: Plugin = {
  name: "push-worker",
  apply: "build",
  async closeBundle() {
    const lib = {
      entry: "push/worker.ts",
      formats: ["iife" as const],
      name: "pushWorker",
      fileName: () => "push-worker.js",
    };
    await build({
      configFile: false,
      root: import.meta.dirname,
      publicDir: false,
      logLevel: "warn",
      build: { lib, target, outDir: "dist", emptyOutDir: false },
    });
  },
};

export default defineConfig({
  plugins: [pushWorker],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target,
    // Everything the page loads is a file of its own, so that the content security policy needs no exceptions.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
