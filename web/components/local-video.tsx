import { useEffect, useRef } from "preact/hooks";

/** What the camera sees, as in a mirror. */
export function LocalVideo({ track }: { readonly track: MediaStreamTrack }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current) video.current.srcObject = new MediaStream([track]);
  }, [track]);
  return <video ref={video} class="local" autoplay playsInline muted aria-label="Your camera" />;
}
