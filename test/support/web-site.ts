import type { TestProject } from "vitest/node";
import { Site } from "./site.ts";

/** One site for all that is tested on the page: each file has people of its own. @returns what stops it */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const site = await Site.start();
  project.provide("siteUrl", site.url);
  return () => site.close();
}

declare module "vitest" {
  interface ProvidedContext {
    readonly siteUrl: string;
  }
}
