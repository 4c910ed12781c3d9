import { readFileSync, writeFileSync } from "node:fs";

// Leaves in package.json only what a media node imports, so that `npm ci` installs no more of the lock file than that:
// it refuses a lock file that lacks a package, not one that has others too. Run where the image is built.

const NEEDED = ["mediasoup", "mediasoup-client", "sdp-transform", "ws", "zod"];

const { name, version, type, dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const needed = Object.fromEntries(NEEDED.map((own) => [own, dependencies[own]]));
writeFileSync("package.json", JSON.stringify({ name, version, private: true, type, dependencies: needed }, null, 2));
