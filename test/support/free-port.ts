export { freePort } from "../../tools/start/port.ts";
