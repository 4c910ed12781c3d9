/** Ringtones made on the spot: nothing to load, nothing to license. */

interface Note {
  /** Seconds from the start of the pattern. */
  readonly at: number;
  readonly seconds: number;
  readonly hertz: number;
}

interface Tone {
  readonly notes: readonly Note[];
  readonly everySeconds: number;
  readonly volume: number;
}

/** Two rising thirds: friendly, and heard over a conversation. */
const RINGTONE: Tone = {
  notes: [
    { at: 0, seconds: 0.18, hertz: 659 },
    { at: 0.2, seconds: 0.18, hertz: 784 },
    { at: 0.4, seconds: 0.34, hertz: 988 },
    { at: 0.9, seconds: 0.18, hertz: 659 },
    { at: 1.1, seconds: 0.18, hertz: 784 },
    { at: 1.3, seconds: 0.34, hertz: 988 },
  ],
  everySeconds: 3,
  volume: 0.18,
};

/** What a caller expects to hear: the European ringing tone (ITU-T E.180), shortened. */
const RINGBACK: Tone = { notes: [{ at: 0, seconds: 1, hertz: 425 }], everySeconds: 4, volume: 0.05 };

/** Under a conversation: two short high notes (ITU-T E.180, call waiting tone), softly. */
const WAITING: Tone = {
  notes: [
    { at: 0, seconds: 0.15, hertz: 880 },
    { at: 0.3, seconds: 0.15, hertz: 880 },
  ],
  everySeconds: 5,
  volume: 0.06,
};

/** There once the user has done something: before, browsers keep a page silent. */
let context: AudioContext | null = null;
const playing = new Set<() => void>();

/** Called whenever the user does something; what rings already is heard from then on. */
export function unlockSound(): void {
  if (typeof AudioContext === "undefined" || context?.state === "running") return;
  context ??= new AudioContext();
  void context.resume().then(
    () => {
      for (const ring of playing) ring();
    },
    () => {},
  );
}

/** @returns the function that stops it */
export function playRingtone(): () => void {
  return play(RINGTONE);
}

/** @returns the function that stops it */
export function playWaiting(): () => void {
  return play(WAITING);
}

/** @returns the function that stops it */
export function playRingback(): () => void {
  return play(RINGBACK);
}

function play(tone: Tone): () => void {
  let output: GainNode | null = null;
  const ring = () => {
    if (context?.state !== "running") return;
    if (!output) {
      output = new GainNode(context, { gain: tone.volume });
      output.connect(context.destination);
    }
    for (const note of tone.notes) strike(context, output, note);
  };
  ring();
  playing.add(ring);
  const repeat = setInterval(ring, tone.everySeconds * 1000);
  return () => {
    clearInterval(repeat);
    playing.delete(ring);
    output?.disconnect();
  };
}

/** A soft edge at both ends: a tone that starts at full height clicks. */
function strike(context: AudioContext, output: AudioNode, { at, seconds, hertz }: Note): void {
  const start = context.currentTime + at;
  const envelope = new GainNode(context, { gain: 0 });
  envelope.gain.linearRampToValueAtTime(0, start);
  envelope.gain.linearRampToValueAtTime(1, start + 0.02);
  envelope.gain.setValueAtTime(1, start + seconds - 0.05);
  envelope.gain.linearRampToValueAtTime(0, start + seconds);
  const oscillator = new OscillatorNode(context, { type: "sine", frequency: hertz });
  oscillator.connect(envelope).connect(output);
  oscillator.start(start);
  oscillator.stop(start + seconds);
}
