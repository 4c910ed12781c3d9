import { useEffect, useRef } from "preact/hooks";
import type { Fit } from "./layout.ts";

interface StreamVideoProps {
  readonly stream: MediaStream;
  readonly label: string;
  readonly fit: Fit;
  readonly isMirrored?: boolean;
}

/** A picture; sound is played apart from it, so that no tile that goes takes somebody's voice with it. */
export function StreamVideo({ stream, label, fit, isMirrored = false }: StreamVideoProps) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current) video.current.srcObject = stream;
  }, [stream]);
  return (
    <video
      ref={video}
      class="tile-video"
      data-fit={fit}
      data-mirrored={isMirrored}
      autoplay
      playsInline
      muted
      aria-label={label}
    />
  );
}
