import { readdirSync, readFileSync } from "node:fs";
import { family } from "../support/processes.ts";

/** What Linux says of a process: proc(5). */

/** USER_HZ, 100 on every Linux that node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU time used so far, user and system, in ms. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The command in parentheses may hold spaces: fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** Memory that is resident, in KiB. */
export function residentKiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The workerd that the edge's process runs. */
export function workerdOf(edgePid: number): number {
  const workerd = family(edgePid).find(({ command }) => /\/workerd serve /.test(command));
  if (!workerd) throw new Error("the edge runs no workerd");
  return workerd.pid;
}
