import { useEffect, useRef } from "preact/hooks";
import type { Participant } from "../../client/index.ts";
import { canChooseSpeaker } from "../devices.ts";

interface GroupSoundProps {
  readonly participants: readonly Participant[];
  readonly speakerId: string | undefined;
}

/** Everybody's voice, and what the screens play. */
export function GroupSound({ participants, speakerId }: GroupSoundProps) {
  return (
    <>
      {participants.flatMap(({ key, streams: { microphone, screen_audio: screenAudio } }) => [
        microphone && <Sound key={key} stream={microphone} speakerId={speakerId} />,
        screenAudio && <Sound key={`${key}/screen`} stream={screenAudio} speakerId={speakerId} />,
      ])}
    </>
  );
}

function Sound({ stream, speakerId }: { readonly stream: MediaStream; readonly speakerId: string | undefined }) {
  const audio = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    if (audio.current) audio.current.srcObject = stream;
  }, [stream]);
  useEffect(() => {
    // An unplugged speaker falls back to the system's.
    if (canChooseSpeaker) void audio.current?.setSinkId(speakerId ?? "").catch(() => {});
  }, [speakerId]);
  // biome-ignore lint/a11y/useMediaCaption: a live call has no captions
  return <audio ref={audio} autoplay />;
}
