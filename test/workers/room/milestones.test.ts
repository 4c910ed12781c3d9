import { expect, test } from "vitest";
import type { Event } from "../../../workers/room/events.ts";
import { milestones } from "../../../workers/room/milestones.ts";
import { ADAS_PHONE, PHONE } from "../call/call-script.ts";
import { NODE, OTHER_NODE, offer, RoomScript } from "./room-script.ts";

/** A room that keeps its log. */
class Logged extends RoomScript {
  readonly log: string[] = [];

  override event(event: Event, after = 0): this {
    const before = this.room;
    super.event(event, after);
    for (const { event: name, epoch, reason, nodeId } of milestones(before, event, this.room)) {
      this.log.push([name, epoch, reason ?? (nodeId === OTHER_NODE ? "b" : nodeId && "a")].filter(Boolean).join(" "));
    }
    return this;
  }
}

const talking = () => new Logged().placed().attaches().joins(ADAS_PHONE).answers();

function spread(): Logged {
  const room = new Logged();
  room.takes = 1;
  room.placed().attaches().joins(ADAS_PHONE).answers();
  return room.joins(PHONE).placed(OTHER_NODE).attaches(1, OTHER_NODE).answers();
}

test.each<[string, () => Logged, string[]]>([
  ["opens", () => talking(), ["room_placed 1 a", "room_opened 1 a"]],
  ["is talked in", () => talking().asks(ADAS_PHONE, offer(1)).answers().joins(PHONE).answers(), []],
  [
    "has no node",
    () => talking().detaches().event({ type: "placed", attempt: 2, placement: null }),
    ["room_moved 2 socket_closed", "room_unplaced 2"],
  ],
  [
    "loses its node",
    () => talking().detaches().placed(OTHER_NODE).attaches(2, OTHER_NODE),
    ["room_moved 2 socket_closed", "room_placed 2 b", "room_opened 2 b"],
  ],
  [
    "has a node that does not dial",
    () => talking().detaches().placed(OTHER_NODE).passes(2_000).placed(NODE),
    ["room_moved 2 socket_closed", "room_placed 2 b", "room_placed 2 a"],
  ],
  [
    "has a node that does not answer",
    () => talking().event({ type: "path_lost", from: ADAS_PHONE }).passes(1_000),
    ["room_moved 2 not_answering"],
  ],
  [
    "has a node that does not come back",
    () => talking().event({ type: "restarted", attached: [] }).passes(5_000),
    ["room_moved 2 not_back"],
  ],
  ["has a node that comes back", () => talking().event({ type: "restarted", attached: [] }).attaches(), []],
  [
    "is drained",
    () => talking().hears({ type: "room_draining", deadlineMs: 9_000 }).placed(OTHER_NODE).attaches(2, OTHER_NODE),
    ["room_placed 2 b", "room_moved 2 drained", "room_opened 2 b"],
  ],
  ["has a further node, and loses its home node", () => spread().detaches(), ["room_spread 1 b", "room_node_left 1 a"]],
  ["is over", () => talking().changes({ isLive: false }), ["room_closed 1"]],
])("[ROOM-1] one line for each step of a room's life: it %s", (_title, play, expected) => {
  const opening = ["room_placed 1 a", "room_opened 1 a"];
  const { log } = play();
  expect(log.slice(0, 2)).toEqual(opening);
  expect(expected.join() === opening.join() ? log : log.slice(2)).toEqual(expected);
});
