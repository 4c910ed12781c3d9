import { describe, expect, test } from "vitest";
import { ROOM_MOVE_MS, ROOM_OVERLAP_MS, ROOM_REATTACH_MS, ROOM_RETRY_MS } from "../../../schema/limits.ts";
import { ROOM_PROBE_MS } from "../../../schema/room-socket.ts";
import { isExpected } from "../../../workers/room/moving.ts";
import { alarmDeadline, timerDeadline } from "../../../workers/room/room.ts";
import { ADAS_PHONE, CIDS_PHONE, PHONE } from "../call/call-script.ts";
import {
  alive,
  answer,
  attendee,
  mute,
  NODE,
  OTHER_NODE,
  offer,
  type RoomScript,
  script,
  speaks,
  talking,
} from "./room-script.ts";

describe("[ROOM-13] a node's socket closes", () => {
  test("everybody is sent to the next epoch at once, and let in as soon as its node is there", () => {
    const played = talking().detaches();
    expect(played.heard).toEqual(["ada moved 2 in 0", "bob moved 2 in 0"]);
    expect(played.done).toEqual(["close 1 stale", "place 2 without a"]);
    expect(played.joins(ADAS_PHONE, { epoch: 2 }).commands).toEqual([]);
    expect(played.placed(OTHER_NODE).joins(PHONE, { epoch: 2 }).attaches(2, OTHER_NODE).done).toEqual([
      "2 join p3",
      "2 join p4",
    ]);
    expect(played.answers().heard).toEqual(["ada joined 2 with p3", "bob joined 2 with p3,p4"]);
  });

  test("what was muted stays so", () => {
    const played = talking().asks(ADAS_PHONE, mute("microphone")).detaches().placed(OTHER_NODE).attaches(2, OTHER_NODE);
    expect(played.joins(ADAS_PHONE).done).toEqual(["2 join p4 muted microphone"]);
    expect(played.joins(PHONE, { muted: ["camera"] }).done).toEqual(["2 join p5 muted camera"]);
  });

  test("what was asked is answered", () => {
    const played = talking().asks(PHONE, offer(1)).joins(CIDS_PHONE).detaches();
    expect(played.heard).toEqual([
      "bob error room_unavailable to o",
      "cid error room_unavailable to jcid",
      "ada moved 2 in 0",
      "bob moved 2 in 0",
      "cid moved 2 in 0",
    ]);
  });

  test("who asks for the old epoch is told of the new one", () => {
    const played = talking().detaches();
    expect(played.asks(PHONE, offer(1)).heard).toEqual(["bob error room_unavailable to o", "bob moved 2 in 0"]);
    expect(played.joins(PHONE, { epoch: 1 }).heard).toEqual(["bob error room_unavailable to jbob", "bob moved 2 in 0"]);
    expect(played.asks(PHONE, answer(1)).heard).toEqual([]);
  });

  test("the node is refused from then on, and what it says goes nowhere", () => {
    const played = talking().detaches().placed(OTHER_NODE);
    expect([isExpected(played.room, 1, NODE), isExpected(played.room, 2, NODE)]).toEqual([false, false]);
    expect(isExpected(played.room, 2, OTHER_NODE)).toBe(true);
    expect(played.hears(speaks("p1"), 1).commands).toEqual([]);
  });

  test("without another node those who wait are told, and everybody is called when there is one, be it the same", () => {
    const played = talking().detaches().joins(ADAS_PHONE);
    expect(played.event({ type: "placed", attempt: 2, placement: null }).heard).toEqual([
      "ada error room_unavailable to jada",
    ]);
    expect(played.passes(ROOM_RETRY_MS).done).toEqual(["place 2"]);
    expect(played.placed(NODE).attaches(2, NODE).heard).toEqual(["ada moved 2 in 0", "bob moved 2 in 0"]);
  });

  test("an empty room is not moved: the next who comes opens another", () => {
    const played = script().open().detaches();
    expect([played.done, alarmDeadline(played.room)]).toEqual([["close 1 stale"], null]);
    expect(played.joins(PHONE).done).toEqual(["place 2"]);
  });

  test("a socket that is not the room's concerns nobody", () => {
    const played = talking();
    const { room } = played;
    expect(played.detaches(1, OTHER_NODE).room).toBe(room);
    expect(played.detaches(7, NODE).room).toBe(room);
  });
});

describe("[ROOM-14] the edge restarts, and all sockets are gone", () => {
  const restarted = () => talking().event({ type: "restarted", attached: [] });

  test("the node dials again in time: nobody moves, and nobody is told anything", () => {
    const played = restarted();
    expect(played.commands).toEqual([]);
    expect(isExpected(played.room, 1, NODE)).toBe(true);
    expect(played.passes(ROOM_REATTACH_MS - 1).commands).toEqual([]);
    expect(played.attaches().commands).toEqual([]);
    expect(played.passes(ROOM_REATTACH_MS).commands).toEqual([]);
    expect(played.asks(PHONE, offer(1)).done).toEqual(["1 offer p2"]);
  });

  test("it does not: the room is moved", () => {
    const played = restarted();
    expect(timerDeadline(played.room)).toBe(played.now + ROOM_REATTACH_MS);
    expect(played.passes(ROOM_REATTACH_MS).heard).toEqual(["ada moved 2 in 0", "bob moved 2 in 0"]);
    expect(played.done).toEqual(["close 1 stale", "place 2 without a"]);
  });

  test("meanwhile who comes waits, who leaves is gone when the node is back, and the rest is refused", () => {
    const played = restarted().joins(CIDS_PHONE);
    expect(played.commands).toEqual([]);
    expect(played.asks(PHONE, offer(1)).heard).toEqual(["bob error room_unavailable to o"]);
    expect(played.asks(PHONE, mute("camera")).heard).toEqual(["bob error room_unavailable to u"]);
    expect(played.changes({ devices: [PHONE, CIDS_PHONE].map(attendee) }).done).toEqual([]);
    expect(played.attaches().done).toEqual(["1 leave p1", "1 join p3"]);
  });

  test("sockets that have hibernated are not gone", () => {
    const played = talking().event({ type: "restarted", attached: [{ epoch: 1, nodeId: NODE }] });
    expect(timerDeadline(played.room)).toBeNull();
  });

  test("a node that dials again on a live object takes up where it was", () => {
    const played = talking().attaches();
    expect([played.commands, played.room.placed.epoch]).toEqual([[], 1]);
  });
});

describe("[ROOM-15] clients lose their path", () => {
  const lostPath = (played: RoomScript, ...devices: (typeof PHONE)[]) =>
    devices.reduce((before, from) => before.event({ type: "path_lost", from }), played);

  test("the node is asked, once for all", () => {
    const played = lostPath(talking(), PHONE);
    expect(played.done).toEqual(["1 room_probe"]);
    expect(lostPath(played, ADAS_PHONE, PHONE).commands).toEqual([]);
    expect(timerDeadline(played.room)).toBe(played.now + ROOM_PROBE_MS);
  });

  test("it lives: who has lost it joins anew, and nobody else", () => {
    const played = lostPath(talking(), PHONE);
    expect(played.hears(alive(played)).heard).toEqual(["bob rejoin"]);
    expect(played.passes(ROOM_PROBE_MS).commands).toEqual([]);
  });

  test("it does not answer: its socket is closed, and the room is moved", () => {
    const played = lostPath(talking(), PHONE).passes(ROOM_PROBE_MS);
    expect(played.heard).toEqual(["ada moved 2 in 0", "bob moved 2 in 0"]);
    expect(played.done).toEqual(["close 1 stale", "place 2 without a"]);
    expect(isExpected(played.room, 1, NODE)).toBe(false);
  });

  test("an answer to another question is none", () => {
    const played = lostPath(talking(), PHONE);
    expect(played.hears({ type: "room_alive", re: "another" }).heard).toEqual([]);
    expect(played.passes(ROOM_PROBE_MS).heard).toHaveLength(2);
  });

  test("of who is not in the room nothing is asked", () => {
    expect(lostPath(talking(), CIDS_PHONE).commands).toEqual([]);
    expect(lostPath(talking().detaches(), PHONE).commands).toEqual([]);
    const moved = talking().detaches().placed(OTHER_NODE).attaches(2, OTHER_NODE);
    expect(lostPath(moved, PHONE).heard).toEqual(["bob rejoin"]);
  });
});

describe("[ROOM-16] a node that wants to stop is left, make before break", () => {
  const draining = (deadlineMs = 60_000) => talking().hears({ type: "room_draining", deadlineMs });
  const swapped = () => draining().placed(OTHER_NODE).attaches(2, OTHER_NODE);

  test("another one is found while it serves on; then everybody is called", () => {
    const played = draining();
    expect([played.done, played.heard]).toEqual([["place 2 without a"], []]);
    expect(played.asks(PHONE, offer(1)).done).toEqual(["1 offer p2"]);
    played.answers().placed(OTHER_NODE).attaches(2, OTHER_NODE);
    expect(played.heard).toEqual([`ada moved 2 in ${ROOM_MOVE_MS}`, `bob moved 2 in ${ROOM_MOVE_MS}`]);
    expect([isExpected(played.room, 1, NODE), isExpected(played.room, 2, OTHER_NODE)]).toEqual([true, true]);
  });

  test("once all have joined, the old room is closed when their media had time to come", () => {
    const played = swapped().joins(ADAS_PHONE).answers().joins(PHONE);
    expect(alarmDeadline(played.room)).toBe(played.now + ROOM_MOVE_MS);
    expect(played.answers().heard).toEqual(["bob joined 2 with p3,p4"]);
    expect(played.passes(ROOM_OVERLAP_MS - 1).done).toEqual([]);
    expect(played.passes(1).done).toEqual(["close 1 stale"]);
    expect(alarmDeadline(played.room)).toBeNull();
  });

  test("at the deadline it is closed, whoever has not moved", () => {
    const played = swapped().joins(ADAS_PHONE).answers().passes(ROOM_MOVE_MS);
    expect([played.done, played.heard]).toEqual([["close 1 stale"], []]);
    expect(played.joins(PHONE).answers().heard).toEqual(["bob joined 2 with p3,p4"]);
  });

  test("the deadline is the node's own, if that is shorter", () => {
    const played = draining(3_000).placed(OTHER_NODE).attaches(2, OTHER_NODE);
    expect(played.heard).toEqual(["ada moved 2 in 3000", "bob moved 2 in 3000"]);
  });

  test("who leaves meanwhile leaves both", () => {
    const played = swapped()
      .joins(ADAS_PHONE)
      .answers()
      .changes({ devices: [attendee(PHONE)] });
    expect(played.done).toEqual(["2 leave p3", "1 leave p1"]);
  });

  test("what was asked of the old node is answered, and what it says then goes nowhere", () => {
    const played = draining().asks(PHONE, offer(1)).joins(CIDS_PHONE).placed(OTHER_NODE).attaches(2, OTHER_NODE);
    expect(played.heard.slice(0, 2)).toEqual(["bob error room_unavailable to o", "cid error room_unavailable to jcid"]);
    expect(played.hears(speaks("p1"), 1).commands).toEqual([]);
    expect(played.asks(PHONE, offer(1)).heard).toEqual(["bob error room_unavailable to o", "bob moved 2 in 0"]);
  });

  test("it stops before another one is found: everybody is sent there at once", () => {
    const played = draining().placed(OTHER_NODE).detaches();
    expect(played.heard).toEqual(["ada moved 2 in 0", "bob moved 2 in 0"]);
    expect(played.done).toEqual(["close 1 stale"]);
    expect(played.joins(PHONE).attaches(2, OTHER_NODE).done).toEqual(["2 join p3"]);
  });

  test("no other node: it serves on, and another one is looked for again", () => {
    const played = draining().event({ type: "placed", attempt: 2, placement: null });
    expect(played.heard).toEqual([]);
    expect(played.joins(CIDS_PHONE).done).toEqual(["1 join p3"]);
    expect(played.passes(ROOM_RETRY_MS).done).toEqual(["place 2 without a"]);
  });

  test("the new node dies before all have moved: everybody is sent on, and the old room is over", () => {
    const played = swapped().joins(ADAS_PHONE).answers().detaches(2, OTHER_NODE);
    expect(played.done).toEqual(["close 1 stale", "close 2 stale", "place 3 without b"]);
    expect(played.heard).toEqual(["ada moved 3 in 0", "bob moved 3 in 0"]);
  });

  test("the old node dies before all have moved: they are on their way already", () => {
    const played = swapped().detaches(1, NODE);
    expect([played.done, played.heard]).toEqual([["close 1 stale"], []]);
  });

  test("an empty room is closed", () => {
    expect(script().open().hears({ type: "room_draining", deadlineMs: 9 }).done).toEqual(["close 1 stale"]);
  });

  test("it is said once", () => {
    expect(draining().hears({ type: "room_draining", deadlineMs: 9 }).commands).toEqual([]);
  });

  test("with the call both rooms are over", () => {
    expect(swapped().changes({ isLive: false }).done).toEqual(["close 2 over", "close 1 over"]);
  });
});

describe("[ROOM-17] a call between two becomes a room", () => {
  const pair = () => script().changes({ isPair: true, isWanted: false });

  test("when a third device joins: all are called once the room is open, and keep what they have until then", () => {
    const played = pair().changes({ isWanted: true });
    expect(played.done).toEqual(["place 1"]);
    expect(played.joins(CIDS_PHONE).heard).toEqual([]);
    expect(played.placed().attaches().heard).toEqual([
      `ada moved 1 in ${ROOM_MOVE_MS}`,
      `bob moved 1 in ${ROOM_MOVE_MS}`,
    ]);
    expect(played.room.placed.hasOpened).toBe(true);
  });

  test("without a node nobody is called, and the two go on as they are", () => {
    const played = pair().changes({ isWanted: true }).event({ type: "placed", attempt: 1, placement: null });
    expect([played.heard, played.room.placed.hasOpened]).toEqual([[], false]);
    expect(played.joins(CIDS_PHONE).done).toEqual(["place 1"]);
    expect(played.placed(OTHER_NODE).attaches(1, OTHER_NODE).heard).toHaveLength(2);
  });
});
