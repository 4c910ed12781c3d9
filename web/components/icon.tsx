/** Line icons on a grid of 24, drawn for this page. */
const PATHS = {
  video:
    "M4 7.5A1.5 1.5 0 0 1 5.5 6h8A1.5 1.5 0 0 1 15 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-8A1.5 1.5 0 0 1 4 16.5zM15 10.5l5-3v9l-5-3",
  videoOff:
    "M15 13.5l5 3v-9l-5 3M15 10.5v-3A1.5 1.5 0 0 0 13.500 6H9M4.6 6.300A1.500 1.500 0 0 0 4 7.500v9A1.500 1.500 0 0 0 5.500 18h8c.5 0 1-.3 1.300-.7M3 3l18 18",
  phone:
    "M6.200 3.500h2.600l1.500 4-1.900 1.500a12 12 0 0 0 6.600 6.600l1.500-1.900 4 1.500v2.600a2 2 0 0 1-2.200 2A16.500 16.500 0 0 1 4.200 5.700a2 2 0 0 1 2-2.200z",
  microphone:
    "M12 3.500a2.500 2.500 0 0 1 2.500 2.500v5a2.500 2.500 0 0 1-5 0V6A2.500 2.500 0 0 1 12 3.500zM6 11a6 6 0 0 0 12 0M12 17v3.500",
  microphoneOff:
    "M14.500 9.500V6a2.500 2.500 0 0 0-4.900-.7M9.500 9.500V11a2.500 2.500 0 0 0 3.700 2.200M6 11a6 6 0 0 0 9.500 4.900M17.700 12.700c.2-.5.3-1.100.3-1.700M12 17v3.500M3 3l18 18",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  bellOff:
    "M8.500 5A6 6 0 0 1 18 9.800c0 2.200.4 3.800 1 5M6.300 7.500A6 6 0 0 0 6 9.800c0 3.700-1 5.200-2 6.200h12M10 19.500a2.200 2.200 0 0 0 4 0M3 3l18 18",
  close: "M6 6l12 12M18 6L6 18",
  pause: "M9 5.500v13M15 5.500v13",
  play: "M8 5.500v13l10.500-6.500z",
  more: "M5.500 12h.01M12 12h.01M18.500 12h.01",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20.500a7.500 7.500 0 0 1 15 0",
  people:
    "M9 11.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 19.500a6.500 6.500 0 0 1 13 0M15.500 5a3.500 3.500 0 0 1 0 6.500M18 13.800a6.500 6.500 0 0 1 3.500 5.700",
  recent: "M12 20.500a8.500 8.500 0 1 0-8.500-8.500M3.500 6.500V12H9M12 7.500V12l3 2",
  outgoing: "M8 16l8-8M9.500 8H16v6.500",
  incoming: "M16 8l-8 8M14.500 16H8V9.500",
  missed: "M5 8l7 7 7-7M5 8h5M5 8v5",
  signal: "M5 19v-3M10 19v-6M15 19V9.500M20 19V5",
  screen: "M4 5h16v11H4zM9 20h6M12 16v4M12 13V8.500M9.500 10.500L12 8l2.500 2.500",
  devices: "M7.500 15H4V5.500h14V8M3 18.500h8.500M14.500 10.500h6v9h-6zM17 17h1",
  grid: "M4.500 4.500h6v6h-6zM13.500 4.500h6v6h-6zM4.500 13.500h6v6h-6zM13.500 13.500h6v6h-6z",
  speaker: "M4 5h16v9H4zM4 18h4M10 18h4M16 18h4",
  addPerson:
    "M9.500 11.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM3 19.500a6.500 6.500 0 0 1 13 0M18.500 8v6M15.500 11h6",
  swap: "M4 8h14M14.500 4.500L18 8l-3.500 3.500M20 16H6M9.500 12.500L6 16l3.500 3.500",
} as const;

/** The handset, laid down: drawn as `phone` and turned by the style sheet. */
type Turned = "hangUp";

export type IconName = keyof typeof PATHS | Turned;

/** Always beside or inside something that has a name. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name === "hangUp" ? "phone" : name]} />
    </svg>
  );
}
