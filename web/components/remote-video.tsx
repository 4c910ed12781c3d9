import { useEffect, useRef } from "preact/hooks";
import { type Call, isAnswered } from "../../client/index.ts";
import { canChooseSpeaker } from "../devices.ts";
import { Avatar } from "./avatar.tsx";

interface RemoteVideoProps {
  readonly call: Call;
  readonly speakerId: string | undefined;
}

/** The other side: sound always, the picture while there is one. */
export function RemoteVideo({ call, speakerId }: RemoteVideoProps) {
  const video = useRef<HTMLVideoElement>(null);
  const { media, person, phase } = call;
  const stream = isAnswered(phase) ? media.remoteStream : null;
  const name = person.name || "Somebody";
  const hasPicture = media.hasRemoteVideo && !call.isOnHold && !call.heldByPeer;

  useEffect(() => {
    if (video.current) video.current.srcObject = stream;
  }, [stream]);

  useEffect(() => {
    // An unplugged speaker falls back to the system's.
    if (canChooseSpeaker) void video.current?.setSinkId(speakerId ?? "").catch(() => {});
  }, [speakerId]);

  return (
    <div class="remote" data-video={hasPicture}>
      {/* biome-ignore lint/a11y/useMediaCaption: a live call has no captions */}
      <video ref={video} autoplay playsInline aria-label={`Video of ${name}`} />
      {!hasPicture && (
        <span class="pulse" data-on={phase.kind === "ringing"}>
          <Avatar userId={person.userId} name={name} size="large" />
        </span>
      )}
    </div>
  );
}
