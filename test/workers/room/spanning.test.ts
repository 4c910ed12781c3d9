import { describe, expect, test } from "vitest";
import { ROOM_MOVE_MS, ROOM_OVERLAP_MS } from "../../../schema/limits.ts";
import { nodesOf } from "../../../workers/room/members.ts";
import { ADAS_PHONE, CIDS_PHONE, PHONE } from "../call/call-script.ts";
import { alive, NODE, OTHER_NODE, type RoomScript, script, speaks } from "./room-script.ts";

const FAR = { local: 200, far: 10 };

/** The home node takes two, Ada and Bob, who are in. */
function full(): RoomScript {
  const room = script();
  room.takes = 2;
  return room.open().joins(ADAS_PHONE).answers().joins(PHONE).answers();
}

/** And Cid, on a satellite. */
function spread(): RoomScript {
  return full().joins(CIDS_PHONE).placed(OTHER_NODE).attaches(1, OTHER_NODE).answers();
}

const nodeOf = ({ room }: RoomScript, device: { deviceId: string }) =>
  room.placed.members.find(({ deviceId }) => deviceId === device.deviceId)?.nodeId;

describe("[ROOM-19] a further node", () => {
  test("is sought when the home node is full: neither it nor one of the room is asked for, and who asked waits", () => {
    expect(full().joins(CIDS_PHONE).done).toEqual(["place 1 part in any without a"]);
  });

  test("is joined to the home node by one pipe, and lets in who waits", () => {
    const played = full().joins(CIDS_PHONE).placed(OTHER_NODE).attaches(1, OTHER_NODE);
    expect(played.done).toEqual(["1 pipe_open", "1 pipe_open", "1 join p3"]);
    expect(played.answers().heard).toContain("cid joined 1 with p1,p2,p3");
  });

  test("what one node says of a pipe goes to the other, as from the one", () => {
    const address = { ip: "192.0.2.1", port: 4, srtp: { cryptoSuite: "AEAD_AES_256_GCM", keyBase64: "k" } } as const;
    const { commands } = spread().hears({ type: "pipe_opened", peerNodeId: NODE, address }, 1, OTHER_NODE);
    const message = { type: "pipe_connect", peerNodeId: OTHER_NODE, address };
    expect(commands).toEqual([{ type: "to_node", epoch: 1, nodeId: NODE, message }]);
  });

  test("is sought near to who is far from the home node, also while that one has room", () => {
    const room = script().open();
    room.rtts = FAR;
    expect(room.joins(ADAS_PHONE).done).toEqual(["place 1 part in far without a"]);
    const near = script().open();
    near.rtts = { local: 59, far: 10 };
    expect(near.joins(ADAS_PHONE).done).toEqual(["1 join p1"]);
  });

  test.each(["no node", "a node that does not dial"])("without one the home node takes them too: %s", (what) => {
    const room = full().joins(CIDS_PHONE);
    const { attempts: attempt } = room.room.placed;
    if (what === "no node") room.event({ type: "placed", attempt, placement: null });
    else room.placed(OTHER_NODE).passes(2_000);
    expect(room.done).toEqual(["1 join p3"]);
    expect(nodeOf(room, CIDS_PHONE)).toBe(NODE);
  });

  test("that is there takes back who was on it", () => {
    const played = spread().hears({ type: "participant_lost", participantId: "p3", reason: "ice" }, 1, OTHER_NODE);
    expect(played.heard).toContain("cid rejoin");
    expect(played.joins(CIDS_PHONE).commands).toMatchObject([{ type: "to_node", nodeId: OTHER_NODE }]);
  });

  test("is given up when nobody is on it any more, and its pipe with it", () => {
    const played = spread();
    played.changes({ devices: played.call.devices.slice(0, 2) });
    expect(played.done).toEqual(["1 leave p3", "close 1 stale", "1 pipe_close"]);
    expect(nodesOf(played.room)).toEqual([NODE]);
  });

  test("speaks for its own people alone, and who speaks the home node says", () => {
    const tracks = { type: "participant_tracks" as const, participantId: "p1", tracks: [] };
    expect(spread().hears(tracks, 1, OTHER_NODE).heard).toEqual([]);
    expect(spread().hears(tracks).heard).not.toEqual([]);
    expect(spread().hears(speaks("p3"), 1, OTHER_NODE).heard).toEqual([]);
    expect(spread().hears(speaks("p3")).heard).toEqual(["ada p3 speaks", "bob p3 speaks", "cid p3 speaks"]);
  });
});

/** The home node, where Ada and Bob are, wants to stop. */
const draining = () => spread().hears({ type: "room_draining", deadlineMs: 60_000 });

describe("[ROOM-20] of several nodes", () => {
  test("a satellite dies: its people are told to join anew, nobody else is told of a move", () => {
    const played = spread().detaches(1, OTHER_NODE);
    expect(played.heard).toEqual(["cid rejoin"]);
    expect(played.done).toEqual(["close 1 stale", "1 pipe_close"]);
    expect(played.joins(CIDS_PHONE).done).toEqual(["place 1 part in any without a"]);
  });

  test("the home node dies: a satellite takes its part, in the same epoch", () => {
    const played = spread().detaches();
    expect(played.heard).toEqual(["ada rejoin", "bob rejoin"]);
    expect([nodesOf(played.room), played.room.placed.epoch]).toEqual([[OTHER_NODE], 1]);
    expect(played.joins(ADAS_PHONE).commands).toMatchObject([{ type: "to_node", epoch: 1, nodeId: OTHER_NODE }]);
  });

  test("the home node that has lost its part may not dial again", () => {
    const played = spread().detaches().attaches();
    expect(played.commands).toEqual([]);
    expect(nodesOf(played.room)).toEqual([OTHER_NODE]);
  });

  test("one that wants to stop has its people join elsewhere, and is left when they have", () => {
    const played = spread().hears({ type: "room_draining", deadlineMs: 60_000 });
    expect([played.heard, played.done]).toEqual([["ada rejoin", "bob rejoin"], []]);
    expect(played.joins(ADAS_PHONE).done).toEqual(["1 join p4"]);
    expect(played.answers().joins(PHONE).done).toContain("place 1 part in any without b without a");
    played.event({ type: "placed", attempt: played.room.placed.attempts, placement: null });
    expect(played.done).toEqual(["1 join p5"]);
    expect(played.answers().done).toEqual([]);
    expect(nodesOf(played.room)).toEqual([OTHER_NODE, NODE]);
    expect(played.passes(ROOM_OVERLAP_MS).done).toEqual(["1 leave p1", "1 leave p2", "close 1 stale", "1 pipe_close"]);
    expect(nodesOf(played.room)).toEqual([OTHER_NODE]);
    expect(played.deadline).toBeNull();
  });

  test("a place on one that wants to stop goes on until its device is elsewhere, and the others see that it is empty then", () => {
    const played = draining().joins(ADAS_PHONE).answers();
    expect(played.passes(ROOM_OVERLAP_MS - 1).commands).toEqual([]);
    expect(played.passes(1).done).toEqual(["1 leave p1"]);
    expect(played.heard).toEqual(["bob Ada's p1 sends nothing", "cid Ada's p1 sends nothing"]);
  });

  test("a place on one that wants to stop is over in the end where the next one does not come about", () => {
    const played = draining().joins(ADAS_PHONE);
    expect(played.passes(ROOM_MOVE_MS - 1).done).not.toContain("1 leave p1");
    expect(played.passes(1).done).toContain("1 leave p1");
  });

  test("whose device leaves the call meanwhile, or whose node dies, it is over at once", () => {
    const left = draining().joins(ADAS_PHONE).answers();
    left.changes({ devices: left.call.devices.slice(1) });
    expect(left.done).toEqual(["1 leave p4", "1 leave p1"]);
    expect(left.room.placed.lingering).toEqual([]);
    const died = draining().joins(ADAS_PHONE).answers().detaches();
    expect(died.room.placed.lingering).toEqual([]);
    expect(died.heard).toContain("cid Ada's p1 sends nothing");
  });

  test("one does not answer when its people have lost it: it is given up after a second, if it lives they come back", () => {
    const lost = spread().event({ type: "path_lost", from: CIDS_PHONE });
    expect(lost.commands).toMatchObject([{ type: "to_node", nodeId: OTHER_NODE, message: { type: "room_probe" } }]);
    const id = lost.room.live.satellites[OTHER_NODE]?.probe?.id ?? "";
    expect(lost.passes(1_000).heard).toEqual(["cid rejoin"]);
    expect(nodesOf(lost.room)).toEqual([NODE]);
    const lives = spread().event({ type: "path_lost", from: CIDS_PHONE });
    lives.hears({ ...alive(lives), re: id }, 1, OTHER_NODE);
    expect(lives.heard).toEqual(["cid rejoin"]);
    expect(nodesOf(lives.room)).toEqual([NODE, OTHER_NODE]);
  });

  test("one that is not back yet after a restart of the edge hears then what the other says meanwhile", () => {
    const changed = { type: "pipe_track_changed", participantId: "p1", source: "camera", state: "gone" } as const;
    const played = spread().event({ type: "restarted", attached: [] }).attaches();
    expect(played.hears({ ...changed, peerNodeId: OTHER_NODE }).done).toEqual([]);
    const message = { ...changed, peerNodeId: NODE };
    expect(played.attaches(1, OTHER_NODE).commands).toEqual([
      { type: "to_node", epoch: 1, nodeId: OTHER_NODE, message },
    ]);
    expect(played.attaches(1, OTHER_NODE).commands).toEqual([]);
  });

  test("each is waited for after a restart of the edge, and the one that does not come back is given up alone", () => {
    const played = spread().event({ type: "restarted", attached: [] }).attaches();
    expect(played.passes(5_000).heard).toEqual(["cid rejoin"]);
    expect([nodesOf(played.room), played.room.placed.epoch]).toEqual([[NODE], 1]);
  });
});
