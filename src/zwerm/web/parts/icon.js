/** The line drawings, 24 px, one stroke width, one colour. */
import { html } from "../vendor/preact.js";

/** @typedef {keyof typeof DRAWINGS} IconName */

const DRAWINGS = {
  home: "M3 11 12 4l9 7M6 9v10h12V9",
  files: "M4 6h6l2 2h8v11H4z",
  folder: "M4 6h6l2 2h8v11H4z",
  history: "M12 4a8 8 0 1 1-7.4 5M4 5v4h4M12 8v4l3 2",
  explore: "M12 3v4M12 17v4M3 12h4M17 12h4M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z",
  graph:
    "M6 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM18 3.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM18 15.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM8.3 11l7.4-4M8.3 13l7.4 4",
  storage:
    "M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3zM4 6v6c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12v6c0 1.7 3.6 3 8 3s8-1.3 8-3v-6",
  settings:
    "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4zM9 14.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4z",
  more: "M5 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2zM12 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2zM19 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2z",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.3 15.3 20 20",
  upload: "M12 16V4M7 9l5-5 5 5M4 16v4h16v-4",
  download: "M12 4v12M7 11l5 5 5-5M4 18v2h16v-2",
  folderPlus: "M4 6h6l2 2h8v11H4zM12 11v5M9.5 13.5h5",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  text: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h4",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 8.5h.01",
  video: "M5 5h14a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2zM10 9l5 3-5 3z",
  audio: "M9 18V6l10-2v12M6.5 15.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM16.5 13.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  page: "M4 5h16v14H4zM4 9h16M7 7h.01",
  pdf: "M6 3h8l4 4v14H6zM14 3v4h4M9 17v-5h1.5a1.5 1.5 0 0 1 0 3H9",
  archive: "M4 4h16v5H4zM5.5 9v11h13V9M10 13h4",
  link: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7L12 17",
  share: "M12 15V4M8 7.5 12 3.5l4 4M7 11H5v9h14v-9h-2",
  rename: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  arrows: "M12 3v18M3 12h18M9.5 5.5 12 3l2.5 2.5M9.5 18.5 12 21l2.5-2.5M5.5 9.5 3 12l2.5 2.5M18.5 9.5 21 12l-2.5 2.5",
  move: "M4 6h6l2 2h8v4M4 6v13h7M14 17h7M18 14l3 3-3 3",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  undo: "M8 5 4 9l4 4M4 9h10a6 6 0 0 1 0 12h-3",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
  pulse: "M3 12h4l3-7 4 14 3-7h4",
  check: "M5 12.5 10 17.5 19 7",
  close: "M6 6l12 12M18 6 6 18",
  qr: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2M20 14v2M14 20h2M18 18h2v2",
  list: "M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01",
  grid: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  right: "M9 5l7 7-7 7",
  left: "M15 5l-7 7 7 7",
  down: "M5 9l7 7 7-7",
  up: "M5 15l7-7 7 7",
  open: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  warning: "M12 4 2.5 20h19zM12 10v4M12 17h.01",
  compare: "M12 3v18M8 7H4v10h4M16 7h4v10h-4",
  restore: "M4 12a8 8 0 1 0 2.5-5.8M4 4v4.5h4.5M12 8v4l-2.5 2",
  pin: "M9 4h6l-1 6 3 3v2H7v-2l3-3zM12 15v6",
  plus: "M12 5v14M5 12h14",
  keyboard: "M3 7h18v10H3zM7 10h.01M10.5 10h.01M14 10h.01M17 10h.01M8 14h8",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4",
  shield: "M12 3l8 3v6c0 4.5-3.3 7.7-8 9-4.7-1.3-8-4.5-8-9V6zM8.5 12l2.5 2.5 4.5-5",
  broom: "M19 4l-7 7M9.5 9.5l5 5c-1 3-3.5 5.5-8 6l-3-3c.5-4.5 3-7 6-8zM7 16l-2 2",
  phone:
    "M5 4h4l1.5 5-2.3 1.7a13 13 0 0 0 5.1 5.1l1.7-2.3 5 1.5v4a1.5 1.5 0 0 1-1.5 1.5C10.5 20 4 13.5 3.5 5.5A1.5 1.5 0 0 1 5 4z",
  people:
    "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM2.5 19c0-3 2.4-5 5.5-5s5.5 2 5.5 5M16.5 6a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM16.5 14c2.8 0 5 1.8 5 4.5",
  swarm:
    "M12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM5 3.8a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4zM19 3.8a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4zM5 16.8a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4zM19 16.8a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4zM6.3 6.7l3.8 3.6M17.7 6.7l-3.8 3.6M6.3 17.3l3.8-3.6M17.7 17.3l-3.8-3.6",
  microphone: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21",
  microphoneOff:
    "M9 9v2a3 3 0 0 0 4.8 2.4M15 10.5V6a3 3 0 0 0-5.8-1M5.5 11a6.5 6.5 0 0 0 10.2 5.3M18.5 11a6.4 6.4 0 0 1-.7 2.9M12 17.5V21M4 4l16 16",
  camera: "M3 7h11a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H3zM15 11l6-3.5v9L15 13",
  cameraOff: "M9 7h5a1 1 0 0 1 1 1v3l6-3.5v9l-3-1.7M15 15v1a1 1 0 0 1-1 1H3V7h2M4 4l16 16",
  screen: "M3 5h18v11H3zM9 20h6M12 16v4M12 13V8M9.5 10.5 12 8l2.5 2.5",
  hand: "M8 12V6a1.5 1.5 0 0 1 3 0v5M11 11V4.5a1.5 1.5 0 0 1 3 0V11M14 11V6a1.5 1.5 0 0 1 3 0v8a7 7 0 0 1-7 7c-2.5 0-3.8-1.3-5-3.5L3 14a1.5 1.5 0 0 1 2.5-1.5L8 15",
  smile: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM9 10h.01M15 10h.01M8.5 14a4 4 0 0 0 7 0",
  chat: "M4 5h16v11H9l-5 4zM8 9h8M8 12h5",
  leave: "M3 14c0-2 4-4.5 9-4.5s9 2.5 9 4.5V16.5l-5-1v-2.3c-2.5-.7-5.5-.7-8 0v2.3l-5 1z",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  unlock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 6.8-1.2",
  full: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  pip: "M3 5h18v14H3zM12 12h6v4h-6z",
  signal: "M5 19v-4M10 19v-8M15 19V8M20 19V5",
  room: "M5 21V4l9-1v18M5 21h14M14 6h5v15M11 12h.01",
  record: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  pencil: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  snapshot: "M4 7h4l1.5-2h5L16 7h4v12H4zM12 10a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  node: "M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
};

/** @param {{name: IconName, label?: string}} props a label only where no words stand beside it */
export function Icon({ name, label }) {
  return html`<svg
    class="icon"
    viewBox="0 0 24 24"
    role=${label ? "img" : null}
    aria-label=${label}
    aria-hidden=${label ? null : "true"}
  >
    <path d=${DRAWINGS[name]} />
  </svg>`;
}
