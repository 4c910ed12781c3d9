import type { Cue } from "./cast.ts";

/** What happens in a call, without the times: the network decides what becomes of it. */
export type Script = readonly Omit<Cue, "at">[];

const adas = "ada's phone";
const bobs = "bob's phone";
const tablet = "bob's tablet";
const cids = "cid's phone";
const of = adas;

export const SCRIPTS: Readonly<Record<string, Script>> = {
  "answered once of two tries": [
    { device: adas, act: { type: "call", callees: ["Bob"] } },
    { device: bobs, act: { type: "answer", of } },
    { device: tablet, act: { type: "answer", of } },
    { device: bobs, act: { type: "hold", of } },
    { device: bobs, act: { type: "unhold", of } },
    { device: adas, act: { type: "hangUp", of } },
  ],
  "that is declined": [
    { device: adas, act: { type: "call", callees: ["Bob"] } },
    { device: tablet, act: { type: "ignore", of } },
    { device: bobs, act: { type: "decline", of } },
  ],
  "that is busy everywhere": [
    { device: adas, act: { type: "call", callees: ["Bob"] } },
    { device: tablet, act: { type: "busy", of } },
    { device: bobs, act: { type: "busy", of } },
  ],
  "that is given up": [
    { device: adas, act: { type: "call", callees: ["Bob"] } },
    { device: adas, act: { type: "hangUp", of } },
  ],
  "that waits, and is taken": [
    { device: adas, act: { type: "call", callees: ["Bob"] } },
    { device: bobs, act: { type: "answer", of } },
    { device: cids, act: { type: "call", callees: ["Bob"] } },
    { device: bobs, act: { type: "hold", of } },
    { device: bobs, act: { type: "answer", of: cids } },
    { device: cids, act: { type: "hangUp", of: cids } },
    { device: bobs, act: { type: "unhold", of } },
    { device: bobs, act: { type: "hangUp", of } },
  ],
  "that waits, and is declined": [
    { device: adas, act: { type: "call", callees: ["Bob"] } },
    { device: bobs, act: { type: "answer", of } },
    { device: cids, act: { type: "call", callees: ["Bob"] } },
    { device: bobs, act: { type: "decline", of: cids } },
    { device: bobs, act: { type: "hangUp", of } },
  ],
  "of two who call each other": [
    { device: adas, act: { type: "call", callees: ["Bob"] } },
    { device: bobs, act: { type: "call", callees: ["Ada"] } },
    { device: adas, act: { type: "hangUp", of } },
    { device: bobs, act: { type: "hangUp", of: bobs } },
  ],
  "handed over": [
    { device: adas, act: { type: "call", callees: ["Bob"] } },
    { device: bobs, act: { type: "answer", of } },
    { device: tablet, act: { type: "takeOver", of } },
    { device: "ada's laptop", act: { type: "takeOver", of } },
    { device: bobs, act: { type: "takeOver", of } },
    { device: bobs, act: { type: "hangUp", of } },
  ],
  "of a group": [
    { device: adas, act: { type: "call", callees: ["Bob", "Cid"], group: true } },
    { device: bobs, act: { type: "answer", of } },
    { device: cids, act: { type: "decline", of } },
    { device: cids, act: { type: "join", of } },
    { device: adas, act: { type: "hangUp", of } },
    { device: cids, act: { type: "hangUp", of } },
  ],
  "that grows": [
    { device: adas, act: { type: "call", callees: ["Bob"] } },
    { device: bobs, act: { type: "answer", of } },
    { device: adas, act: { type: "invite", of, callees: ["Cid"] } },
    { device: cids, act: { type: "answer", of } },
    { device: bobs, act: { type: "hangUp", of } },
    { device: adas, act: { type: "hangUp", of } },
  ],
};
