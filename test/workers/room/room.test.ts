import { describe, expect, test } from "vitest";
import {
  MAX_PARTICIPANTS,
  MAX_WAITING_SDP,
  ROOM_OPEN_MS,
  ROOM_RETRIES_MS,
  ROOM_RETRY_MS,
  ROOM_SEEK_MS,
} from "../../../schema/limits.ts";
import { type FromNode, ROOM_REPLY_MS } from "../../../schema/room-socket.ts";
import { isExpected } from "../../../workers/room/moving.ts";
import { alarmDeadline, timerDeadline } from "../../../workers/room/room.ts";
import { ADAS_PHONE, CIDS_PHONE, EVES_PHONE, PHONE, TABLET } from "../call/call-script.ts";
import {
  alive,
  answer,
  attendee,
  MICROPHONE,
  mute,
  NODE,
  OTHER_NODE,
  offer,
  type RoomScript,
  script,
  speaks,
  talking,
} from "./room-script.ts";

function tracks(participantId: string, muted = false): FromNode {
  return { type: "participant_tracks", participantId, tracks: [{ ...MICROPHONE, muted }] };
}

describe("a room opens", () => {
  test("[ROOM-1] once the call is answered, before anybody asks for it", () => {
    const played = script().changes({ isWanted: false });
    expect(played.done).toEqual([]);
    expect(played.changes({ isWanted: true }).done).toEqual(["place 1"]);
    expect(played.changes({}).done).toEqual([]);
  });

  test("[ROOM-2] who asks before it is open is let in when it is", () => {
    const played = script().placed().joins(ADAS_PHONE).joins(PHONE);
    expect([played.heard, played.done]).toEqual([[], []]);
    expect(played.attaches().done).toEqual(["1 join p1", "1 join p2"]);
    expect(played.answers().heard).toEqual(["ada joined 1 with p1", "bob joined 1 with p1,p2"]);
  });

  test("[ROOM-2] who asks while it is open is let in at once", () => {
    const played = script().open().joins(ADAS_PHONE);
    expect(played.done).toEqual(["1 join p1"]);
    expect(played.answers().heard).toEqual(["ada joined 1 with p1"]);
  });

  test("[ROOM-2] the reply names who is in, with what they send, and who speaks", () => {
    const played = script().open().joins(ADAS_PHONE).answers().hears(tracks("p1")).hears(speaks("p1"));
    const { commands, heard } = played.joins(PHONE).answers();
    expect(heard).toEqual(["bob joined 1 with p1,p2", "bob p1 speaks"]);
    expect(commands[0]).toMatchObject({
      notice: {
        re: "jbob",
        participantId: "p2",
        participants: [
          { ...ADAS_PHONE, name: "Ada", participantId: "p1", tracks: [MICROPHONE] },
          { ...PHONE, name: "Bob", participantId: "p2", tracks: [] },
        ],
      },
    });
  });

  test.each<[string, (played: RoomScript) => RoomScript, string]>([
    ["is not in the call", (played) => played.joins(EVES_PHONE), "? error not_in_call to jundefined"],
    [
      "is in a call that rings",
      (played) => played.changes({ isLive: false }).joins(PHONE),
      "bob error not_in_call to jbob",
    ],
    [
      "is in a call between two",
      (played) => played.changes({ isGroup: false }).joins(PHONE),
      "bob error forbidden to jbob",
    ],
    ["means another epoch", (played) => played.joins(PHONE, { epoch: 2 }), "bob error room_unavailable to jbob"],
    ["has not joined, and offers", (played) => played.asks(PHONE, offer(1)), "bob error forbidden to o"],
    ["has not joined, and answers", (played) => played.asks(PHONE, answer(1)), "bob error forbidden to a"],
    ["has not joined, and mutes", (played) => played.asks(PHONE, mute("microphone")), "bob error forbidden to u"],
  ])("[ROOM-3] refused: a device that %s", (_title, play, expected) => {
    const played = play(script().open());
    expect(played.heard[0]).toBe(expected);
    expect(played.done).toEqual([]);
  });

  test("[ROOM-3] 32 devices are in, the 33rd is refused, and may come when one has left", () => {
    const crowd = Array.from({ length: MAX_PARTICIPANTS }, (_, i) => ({ ...TABLET, deviceId: `device ${i}` }));
    const played = script()
      .changes({ devices: [...crowd, PHONE].map(attendee) })
      .open();
    for (const device of crowd) played.joins(device);
    expect(played.joins(PHONE).heard).toEqual(["bob error too_many_participants to jbob"]);
    expect(played.changes({ devices: [...crowd.slice(1), PHONE].map(attendee) }).joins(PHONE).heard).toEqual([]);
  });

  test("[ROOM-3] offers that wait are limited", () => {
    const played = script()
      .placed()
      .joins(ADAS_PHONE, { sdp: "x".repeat(MAX_WAITING_SDP) });
    expect(played.joins(PHONE).heard).toEqual(["bob error room_unavailable to jbob"]);
    expect(played.attaches().joins(PHONE).done).toEqual(["1 join p3"]);
  });
});

describe("a node is found", () => {
  test("[ROOM-4] no node: those who wait are told, and it is looked for again", () => {
    const played = script().changes({}).joins(ADAS_PHONE);
    expect(played.event({ type: "placed", attempt: 1, placement: null }).heard).toEqual([
      "ada error room_unavailable to jada",
    ]);
    expect(played.passes(ROOM_RETRY_MS - 1).done).toEqual([]);
    expect(played.passes(1).done).toEqual(["place 1"]);
    expect(played.placed().attaches().heard).toEqual(["ada moved 1 in 0"]);
  });

  test("[ROOM-4] nobody wants it: it is not looked for again until somebody does", () => {
    const played = script().changes({}).event({ type: "placed", attempt: 1, placement: null });
    expect(alarmDeadline(played.room)).toBeNull();
    expect(played.joins(PHONE).done).toEqual(["place 1"]);
  });

  test("[ROOM-4] it is looked for more and more rarely, and in the end not any more", () => {
    const played = script().changes({}).joins(ADAS_PHONE);
    const times: number[] = [];
    const start = played.now;
    for (let at = played.deadline; at !== null; at = played.deadline) {
      played.passes(at - played.now);
      if (played.done.length > 0) times.push(Math.round((played.now - start) / 1000));
      played.event({ type: "placed", attempt: played.room.placed.attempts, placement: null });
    }
    expect(times).toEqual([2, 3, 4, 6, 10, 18, 33, 48, 63]);
    expect(played.now - start).toBeGreaterThanOrEqual(ROOM_RETRIES_MS);
    expect(played.joins(ADAS_PHONE).done).toEqual(["place 1"]);
  });

  test("[ROOM-5] a node that does not dial in time is passed over, and refused when it does", () => {
    const played = script().placed().joins(ADAS_PHONE).passes(ROOM_OPEN_MS);
    expect(played.done).toEqual(["place 1 without a"]);
    expect(isExpected(played.room, 1, NODE)).toBe(false);
    expect(played.attaches(1, NODE).done).toEqual([]);
    expect(played.placed(OTHER_NODE).attaches(1, OTHER_NODE).done).toEqual(["1 join p1"]);
  });

  test("[ROOM-5] it is looked for during 8 s, whether the fleet answers or not", () => {
    const played = script().changes({}).joins(ADAS_PHONE);
    const start = played.now;
    while (played.heard.length === 0) played.passes(ROOM_OPEN_MS);
    expect(played.heard).toEqual(["ada error room_unavailable to jada"]);
    expect(played.now - start).toBe(ROOM_SEEK_MS);
  });

  test("[FLEET-3] a fleet that is busy is asked again when it says; those who wait, wait", () => {
    const played = script().changes({}).joins(ADAS_PHONE);
    played.event({ type: "placed", attempt: 1, placement: { retryMs: 300 } });
    expect([played.heard, timerDeadline(played.room)]).toEqual([[], played.now + 300]);
    expect(played.passes(300).done).toEqual(["place 1"]);
    played.event({ type: "placed", attempt: 2, placement: { retryMs: ROOM_SEEK_MS } });
    expect(played.heard).toEqual(["ada error room_unavailable to jada"]);
  });

  test("[ROOM-5] an answer of the fleet that comes too late changes nothing", () => {
    const played = script().changes({}).passes(ROOM_OPEN_MS);
    const { room } = played;
    expect(
      played.event({ type: "placed", attempt: 1, placement: { nodeId: NODE, takes: 32, region: "local" } }).room,
    ).toBe(room);
    expect(played.event({ type: "placed", attempt: 1, placement: null }).room).toBe(room);
  });
});

describe("what is said in a room goes to whom it concerns", () => {
  test("[ROOM-6] the client's offer is answered by the node", () => {
    const played = talking().asks(PHONE, offer(1));
    expect(played.done).toEqual(["1 offer p2"]);
    const { commands, heard } = played.answers();
    expect(heard).toEqual(["bob answer 1"]);
    expect(commands[0]).toMatchObject({ notice: { re: "o" } });
  });

  test("[ROOM-6] one offer at a time; the same one again is not another", () => {
    const played = talking().asks(PHONE, offer(1));
    expect(played.asks(PHONE, offer(1)).commands).toEqual([]);
    expect(played.asks(PHONE, { ...offer(1), id: "x" }).heard).toEqual(["bob error forbidden to x"]);
    expect(played.answers().asks(PHONE, { ...offer(1), id: "x" }).done).toEqual(["1 offer p2"]);
  });

  test("[ROOM-6] the node's offer goes to its client alone, and the answer back", () => {
    const played = talking();
    const offered: FromNode = { type: "room_offer", participantId: "p2", negotiationId: 7, sdp: "offer", tracks: [] };
    expect(played.hears(offered).heard).toEqual(["bob offer 1 7"]);
    expect(played.asks(PHONE, { ...answer(1), negotiationId: 7 }).done).toEqual(["1 answer p2 7"]);
  });

  test("[ROOM-6] what the node refuses its client hears, with or without a command to reply to", () => {
    const played = talking().asks(PHONE, offer(1));
    const [request] = played.room.live.requests;
    const refused = { type: "room_error", participantId: "p2", code: "bad_message", message: "sdp: none" } as const;
    expect(played.hears({ ...refused, re: request?.id ?? "" }).heard).toEqual(["bob error bad_message to o"]);
    const [answered] = played.asks(PHONE, answer(1)).commands;
    const re = answered?.type === "to_node" && "id" in answered.message ? answered.message.id : "";
    expect(played.hears({ ...refused, re }).heard).toEqual(["bob error bad_message"]);
    expect(played.hears({ ...refused, re: "another's" }).heard).toEqual([]);
  });

  test("[ROOM-7] what somebody sends and has muted the others hear", () => {
    const played = talking().hears(tracks("p1"));
    expect(played.heard).toEqual(["bob Ada's p1 sends microphone"]);
    expect(played.asks(ADAS_PHONE, mute("microphone")).done).toEqual(["1 update p1"]);
    expect(played.hears(tracks("p1", true)).heard).toEqual(["bob Ada's p1 sends microphone:muted"]);
  });

  test("[ROOM-7] how large a video is wanted is for its sender alone", () => {
    const message = { type: "video_wanted", participantId: "p2", source: "camera", height: 180 } as const;
    expect(talking().hears(message).heard).toEqual(["bob camera wanted 180"]);
  });

  test("[ROOM-8] who speaks everybody hears, once", () => {
    const played = talking();
    expect(played.hears(speaks("p1")).heard).toEqual(["ada p1 speaks", "bob p1 speaks"]);
    expect(played.hears(speaks("p1")).heard).toEqual([]);
    expect(played.hears(speaks("p2")).heard).toEqual(["ada p2 speaks", "bob p2 speaks"]);
    expect(played.hears(speaks("p1")).heard).toEqual(["ada p1 speaks", "bob p1 speaks"]);
  });

  test("[ROOM-8] also when the one before has left", () => {
    const played = talking()
      .hears(speaks("p1"))
      .changes({ devices: [PHONE, CIDS_PHONE].map(attendee) });
    expect(played.hears(speaks("p2")).heard).toEqual(["bob p2 speaks"]);
  });

  test.each<FromNode>([tracks("p9"), speaks("p9"), { type: "participant_lost", participantId: "p9", reason: "ice" }])(
    "what is said of nobody goes to nobody: %o",
    (message) => {
      const played = talking();
      const { room } = played;
      expect(played.hears(message).commands).toEqual([]);
      expect(played.room).toBe(room);
    },
  );
});

describe("devices come and go", () => {
  test("[ROOM-9] joining again replaces the place; the node and the others are told", () => {
    const played = talking().hears(tracks("p2")).joins(PHONE, { id: "again" });
    expect(played.done).toEqual(["1 leave p2", "1 join p3"]);
    expect(played.heard).toEqual(["ada Bob's p2 sends nothing"]);
    expect(played.answers().heard).toEqual(["bob joined 1 with p1,p3"]);
  });

  test("[ROOM-9] a joining that was replaced is answered too, and the same one again is the same", () => {
    const played = script().open().joins(PHONE);
    expect(played.joins(PHONE).commands).toEqual([]);
    expect(played.joins(PHONE, { id: "again" }).heard).toEqual(["bob error room_unavailable to jbob"]);
    expect(
      played.hears({ type: "participant_joined", re: "p1", participantId: "p1", sdp: "a", tracks: [] }).heard,
    ).toEqual([]);
  });

  test("[ROOM-9] so is one that waited for a node", () => {
    const played = script().placed().joins(PHONE).joins(PHONE, { id: "again" });
    expect(played.heard).toEqual(["bob error room_unavailable to jbob"]);
    expect(played.attaches().done).toEqual(["1 join p2"]);
  });

  test("[ROOM-9] the same user is in with two devices", () => {
    const played = talking()
      .changes({ devices: [ADAS_PHONE, PHONE, TABLET].map(attendee) })
      .joins(TABLET)
      .answers();
    expect(played.heard).toEqual(["bob2 joined 1 with p1,p2,p3"]);
  });

  test("[ROOM-10] who leaves the call leaves the room; others hear of a device only if its user stays", () => {
    const played = talking().changes({ devices: [ADAS_PHONE, PHONE, TABLET].map(attendee) });
    played.joins(TABLET).answers().hears(tracks("p3")).hears(tracks("p2"));
    played.changes({ devices: [ADAS_PHONE, PHONE].map(attendee) });
    expect([played.done, played.heard]).toEqual([
      ["1 leave p3"],
      ["ada Bob's p3 sends nothing", "bob Bob's p3 sends nothing"],
    ]);
    played.changes({ devices: [attendee(ADAS_PHONE)] });
    expect([played.done, played.heard]).toEqual([["1 leave p2"], []]);
  });

  test("[ROOM-10] with the call the room is over", () => {
    const played = talking().changes({ isLive: false, devices: [] });
    expect([played.done, played.heard]).toEqual([["close 1 over"], []]);
    expect([alarmDeadline(played.room), timerDeadline(played.room)]).toEqual([null, null]);
  });

  test("[ROOM-11] a node that does not let somebody in: they hear it, and nobody is inside", () => {
    const played = script().open().joins(PHONE);
    const refused = { type: "room_error", re: "p1", participantId: "p1", code: "bad_message", message: "sdp" } as const;
    expect(played.hears(refused).heard).toEqual(["bob error bad_message to jbob"]);
    expect(played.joins(ADAS_PHONE).answers().heard).toEqual(["ada joined 1 with p2"]);
  });

  test("[ROOM-11] a node that does not answer in time: they hear it, the node is not to let them in, and is asked whether it lives", () => {
    const played = talking().joins(CIDS_PHONE).asks(PHONE, offer(1));
    expect(timerDeadline(played.room)).toBe(played.now + ROOM_REPLY_MS);
    played.passes(ROOM_REPLY_MS);
    expect(played.heard).toEqual(["cid error room_unavailable to jcid", "bob error room_unavailable to o"]);
    expect(played.done).toEqual(["1 leave p3", "1 room_probe"]);
    expect(played.hears(alive(played)).heard).toEqual([]);
    expect(timerDeadline(played.room)).toBeNull();
  });

  test("[ROOM-12] a connection that the node has lost is made anew by its client", () => {
    const played = talking().hears(tracks("p2"));
    const lost = { type: "participant_lost", participantId: "p2", reason: "dtls" } as const;
    expect(played.hears(lost).heard).toEqual(["ada Bob's p2 sends nothing", "bob rejoin"]);
    expect(played.joins(PHONE).done).toEqual(["1 join p3"]);
  });

  test.each<["ice" | "dtls" | "no_answer", string[]]>([
    ["ice", ["1 leave p2"]],
    ["dtls", ["1 leave p2"]],
    ["no_answer", ["1 leave p2", "hang up bob"]],
  ])("[ROOM-12] who loses its place by %s, and who is hung up on", (reason, done) => {
    const played = talking().hears({ type: "participant_lost", participantId: "p2", reason });
    expect([played.heard.at(-1), played.done]).toEqual(["bob rejoin", done]);
  });
});
