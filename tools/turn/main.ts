import { spawn } from "node:child_process";

// coturn does not notice when whoever started it is gone. This process does (follow-parent.ts), and takes coturn along.

const path = process.env.TURN_CONFIG ?? "";
const turn = spawn("turnserver", ["-c", path], { stdio: "inherit" });
process.once("SIGTERM", () => turn.kill("SIGTERM"));
turn.once("error", (error) => {
  console.error(`ERROR: ${error.message}`);
  process.exit(1);
});
turn.once("exit", (code) => process.exit(code ?? 1));
