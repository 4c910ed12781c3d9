// The one file that a node of any age can read. `npm start`, `npm test` and `npm run bench` come here first:
//   node tools/bootstrap.mjs start|test|bench [arguments]
// The scripts of package.json `exec` it, since the shell in between would die of a signal before the parts have stopped.
// It has no static imports, because an old node stops at those without a word of use.
const OLDEST = 20;

if (Number(process.versions.node.split(".")[0]) < OLDEST) {
  console.error(`error: Node.js ${process.versions.node} is too old, Switchboard needs ${OLDEST} or newer.`);
  console.error("  Install a current one from https://nodejs.org (or by nvm, fnm, volta) and run the command again.");
  process.exit(10);
}

import("./setup/launch.mjs").then(({ launch }) => launch(process.argv.slice(2)));
