import { setTimeout as delay } from "node:timers/promises";
import { median, rounded } from "../statistics.ts";
import { CAMERA, type Sending } from "./load-media.ts";
import type { LoadStack } from "./load-stack.ts";
import type { Memory, Subject } from "./messages.ts";
import { SfuProcess } from "./sfu-process.ts";

export interface ForwardingPlan {
  readonly senders: number;
  /** Of the senders: the others are silent, and send next to no sound. What levels cost goes with them. */
  readonly speakers: number;
  /** Besides the senders, who receive each other. */
  readonly receivers: number;
  readonly rounds: number;
  /** Until as much is kept for retransmission as ever is: what a consumer holds is known then. */
  readonly fillSeconds: number;
  /** Of each subject in each round. */
  readonly seconds: number;
}

/** Medians over the rounds. */
export interface SubjectFigures {
  readonly subject: Subject;
  readonly workerUs: number;
  readonly nodeUs: number;
  /** Of worker and node together, against bare mediasoup in the same round. */
  readonly times: number;
  readonly timesOfEachRound: readonly number[];
  /** Of what the clients should have got. */
  readonly delivered: number;
  readonly consumers: number;
  readonly memory: { readonly workerKiB: number; readonly nodeKiB: number };
}

export interface Forwarding {
  readonly senders: number;
  readonly speakers: number;
  readonly receivers: number;
  readonly packetsPerSecond: number;
  readonly subjects: readonly SubjectFigures[];
  /** CPU of the load for each packet that a client received. */
  readonly generatorUs: number;
}

const SUBJECTS: readonly Subject[] = ["bare", "levels", "ours"];
/** Until what is sent flows evenly. */
const SETTLE_MS = 700;

interface Candidate {
  readonly subject: Subject;
  readonly sfu: SfuProcess;
  readonly clients: readonly LoadStack[];
  readonly memory: SubjectFigures["memory"];
  readonly consumers: number;
}

interface Round {
  readonly workerUs: number;
  readonly nodeUs: number;
  readonly generatorUs: number;
  readonly packetsPerSecond: number;
  readonly delivered: number;
}

/** CPU for each packet that is forwarded, of SFUs with the same clients: in turns, so that what disturbs one disturbs all. */
export async function measureForwarding(
  plan: ForwardingPlan,
  workerBin: string,
  say: (line: string) => void,
): Promise<Forwarding> {
  const { senders, receivers } = plan;
  await using parts = new AsyncDisposableStack();
  const candidates: Candidate[] = [];
  for (const subject of SUBJECTS) {
    say(`forwarding: ${senders} senders and ${receivers} receivers come to ${subject}`);
    candidates.push(await fill(subject, plan, workerBin, parts, say));
  }
  const rounds = new Map<Subject, Round[]>(SUBJECTS.map((subject) => [subject, []]));
  for (let i = 0; i < plan.rounds; i++) {
    say(`forwarding: round ${i + 1} of ${plan.rounds}`);
    // Each is first and last as often as the others.
    const order = [...candidates.slice(i % SUBJECTS.length), ...candidates.slice(0, i % SUBJECTS.length)];
    for (const one of order) rounds.get(one.subject)?.push(await measure(one, plan));
  }
  return summary(plan, candidates, rounds);
}

/** The receivers come first: what the senders add then are producers and consumers. */
async function fill(
  subject: Subject,
  { senders, speakers, receivers, fillSeconds }: ForwardingPlan,
  workerBin: string,
  parts: AsyncDisposableStack,
  log: (line: string) => void,
): Promise<Candidate> {
  const sfu = await SfuProcess.start({ subject, workerBin, log });
  parts.defer(() => sfu.stop());
  const join = async (count: number, sending: (index: number) => Sending | null) => {
    const stacks = await Promise.all(
      Array.from({ length: count }, (_, i) => sfu.join(`${sending(i) ? "sender" : "receiver"}-${i}`, sending(i))),
    );
    for (const stack of stacks) parts.defer(() => stack.close());
    return stacks;
  };
  const watching = await join(receivers, () => null);
  const before = await sfu.memory();
  const clients = [
    ...watching,
    ...(await join(senders, (tag) => ({ tag, isSpeaking: tag < speakers, camera: CAMERA }))),
  ];
  await delay(fillSeconds * 1_000);
  const after = await sfu.memory();
  for (const client of clients) client.pause();
  return { subject, sfu, clients, consumers: after.consumers, memory: memoryOf(before, after) };
}

function memoryOf(before: Memory, after: Memory): SubjectFigures["memory"] {
  const perConsumer = (of: "workerKiB" | "nodeKiB") => rounded((after[of] - before[of]) / Math.max(1, after.consumers));
  return { workerKiB: perConsumer("workerKiB"), nodeKiB: perConsumer("nodeKiB") };
}

async function measure({ sfu, clients }: Candidate, { senders, seconds }: ForwardingPlan): Promise<Round> {
  const sum = (of: "packetsSent" | "packetsReceived") => clients.reduce((total, client) => total + client[of], 0);
  const isSender = (index: number) => index >= clients.length - senders;
  for (const [index, client] of clients.entries()) if (isSender(index)) client.resume();
  await delay(SETTLE_MS);
  const before = await sfu.usage();
  const from = { at: performance.now(), sent: sum("packetsSent"), received: sum("packetsReceived") };
  const cpu = process.cpuUsage();
  await delay(seconds * 1_000);
  const { user, system } = process.cpuUsage(cpu);
  const elapsed = (performance.now() - from.at) / 1_000;
  const [sent, received] = [sum("packetsSent") - from.sent, sum("packetsReceived") - from.received];
  const after = await sfu.usage();
  for (const client of clients) client.pause();
  return {
    workerUs: (after.workerUs - before.workerUs) / received,
    nodeUs: (after.nodeUs - before.nodeUs) / received,
    generatorUs: (user + system) / received,
    packetsPerSecond: received / elapsed,
    delivered: received / (sent * (clients.length - 1)),
  };
}

function summary(
  { senders, speakers, receivers }: ForwardingPlan,
  candidates: readonly Candidate[],
  rounds: ReadonlyMap<Subject, readonly Round[]>,
): Forwarding {
  const of = (subject: Subject) => rounds.get(subject) ?? [];
  const total = ({ workerUs, nodeUs }: Round) => workerUs + nodeUs;
  const all = [...rounds.values()].flat();
  const subjects = candidates.map(({ subject, consumers, memory }): SubjectFigures => {
    const own = of(subject);
    const times = own.map((round, i) => total(round) / total(of("bare")[i] ?? round));
    return {
      subject,
      workerUs: rounded(median(own.map(({ workerUs }) => workerUs))),
      nodeUs: rounded(median(own.map(({ nodeUs }) => nodeUs))),
      times: rounded(median(times)),
      timesOfEachRound: times.map(rounded),
      delivered: rounded(Math.min(...own.map(({ delivered }) => delivered))),
      consumers,
      memory,
    };
  });
  return {
    senders,
    speakers,
    receivers,
    packetsPerSecond: Math.round(median(all.map(({ packetsPerSecond }) => packetsPerSecond))),
    subjects,
    generatorUs: rounded(median(all.map(({ generatorUs }) => generatorUs))),
  };
}
