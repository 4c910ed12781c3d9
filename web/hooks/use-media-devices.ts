import { useEffect, useState } from "preact/hooks";

/** Cameras, microphones and speakers, as they come and go. */
export function useMediaDevices(): readonly MediaDeviceInfo[] {
  const [devices, setDevices] = useState<readonly MediaDeviceInfo[]>([]);
  useEffect(() => {
    const { mediaDevices } = navigator;
    const look = () => void mediaDevices.enumerateDevices().then(setDevices, () => setDevices([]));
    look();
    mediaDevices.addEventListener("devicechange", look);
    return () => mediaDevices.removeEventListener("devicechange", look);
  }, []);
  return devices;
}
