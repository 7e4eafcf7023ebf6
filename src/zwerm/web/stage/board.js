/** What lies over a shared screen: everybody's pointers and strokes, and the tools to point and draw. */
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { node } from "../events.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { openMenu } from "../parts/menu.js";
import { boardOf, COLOURS, SPAN } from "./drawing.js";
import { boxOf, paintPointers, paintStrokes } from "./paint.js";
import { keepInFiles, save } from "./save.js";
import { snapshot } from "./snapshot.js";

/** @import {IconName} from "../parts/icon.js" */
/** @import {Key} from "../language.js" */
/** @import {Meeting} from "./meeting.js" */
/** @import {Place} from "./tile.js" */

const FOLDER = "/Pictures";
/** @type {Key[]} */
const NAMES = ["board.red", "board.amber", "board.green", "board.blue", "board.purple", "board.pink"];

/** @param {Meeting} meeting @param {Place} place */
const nameOf = (meeting, { person }) =>
  person
    ? boardOf(person.endpoint, person.shown.value.board)
    : boardOf(meeting.endpoint, meeting.screen.value?.video.id ?? "");

/** The picture that lies below. @param {HTMLCanvasElement | null} canvas */
const pictureOf = (canvas) => canvas?.closest("figure")?.querySelector("video") ?? null;

/** Keep the canvas as the strokes and pointers are. @param {Meeting} meeting @param {string} board */
function useCanvas(meeting, board) {
  const element = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    const canvas = element.current;
    const context = canvas?.getContext("2d");
    const video = pictureOf(canvas);
    if (!canvas || !context || !video) return undefined;
    const { drawing } = meeting;
    let frame = 0;
    const paint = () => {
      frame = 0;
      const [width, height] = [canvas.clientWidth, canvas.clientHeight];
      const scale = devicePixelRatio;
      [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
      context.scale(scale, scale);
      const box = boxOf(width, height, video.videoWidth, video.videoHeight);
      paintStrokes(context, drawing, board, box);
      if (paintPointers(context, drawing, board, box, performance.now())) later();
    };
    const later = () => {
      frame ||= requestAnimationFrame(paint);
    };
    const sizes = new ResizeObserver(later);
    sizes.observe(canvas);
    video.addEventListener("resize", later);
    const stops = [drawing.strokes.subscribe(later), drawing.pointers.subscribe(later)];
    return () => {
      cancelAnimationFrame(frame);
      sizes.disconnect();
      video.removeEventListener("resize", later);
      for (const stop of stops) stop();
    };
  }, [meeting, board]);
  return element;
}

/** @param {{icon: IconName, label: string, run: (event: MouseEvent) => void, pressed?: boolean | null, menu?: boolean}} props */
const BoardTool = ({ icon, label, run, pressed = null, menu = false }) =>
  html`<button
    type="button"
    class="plain square small"
    aria-label=${label}
    title=${label}
    aria-pressed=${pressed}
    aria-haspopup=${menu ? "menu" : null}
    onClick=${run}
  >
    <${Icon} name=${icon} />
  </button>`;

/** @param {{meeting: Meeting, place: Place, hasTools: boolean}} props */
export function Board({ meeting, place, hasTools }) {
  const [colour, setColour] = useState(0);
  const { drawing } = meeting;
  const tool = drawing.tool.value;
  const board = nameOf(meeting, place);
  const element = useCanvas(meeting, board);
  const active = hasTools ? tool : "look";
  /** Where on the picture; null beside it. @param {PointerEvent} event @param {boolean} isHeld to its edge */
  const placeOf = ({ clientX, clientY }, isHeld) => {
    const canvas = element.current;
    const video = pictureOf(canvas);
    if (!canvas || !video) return null;
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const box = boxOf(width, height, video.videoWidth, video.videoHeight);
    const [x, y] = [(clientX - left - box.x) / box.width, (clientY - top - box.y) / box.height];
    if (!isHeld && (x < 0 || x > 1 || y < 0 || y > 1)) return null;
    const [across, down] = [x, y].map((each) => Math.round(SPAN * Math.min(1, Math.max(0, each))));
    return { board, x: across, y: down };
  };
  /** @param {PointerEvent} event */
  const press = (event) => {
    const at = event.button === 0 && event.isPrimary ? placeOf(event, false) : null;
    if (!at) return;
    element.current?.setPointerCapture(event.pointerId);
    if (active === "pen") drawing.begin(board, colour, at.x, at.y);
    else drawing.point(at);
  };
  /** @param {PointerEvent} event */
  const move = (event) => {
    if (!event.isPrimary) return;
    const isDrawn = active === "pen" && event.buttons === 1;
    const at = placeOf(event, isDrawn);
    if (at && isDrawn) drawing.extend(at.x, at.y);
    else if (at && active === "point") drawing.point(at);
  };
  /** @param {(file: File) => void} use */
  const take = async (use) => {
    const video = pictureOf(element.current);
    const file = video && (await snapshot(video, drawing, board));
    if (file) use(file);
  };
  /** @param {MouseEvent} event */
  const shoot = (event) =>
    openMenu(event, t("board.snapshot"), [
      { label: t("board.save"), icon: "download", run: () => void take((file) => save(file, file.name)) },
      ...(node.value
        ? [
            {
              label: t("board.files"),
              icon: /** @type {IconName} */ ("files"),
              run: () => void take((file) => void keepInFiles(file, FOLDER, t("board.kept"))),
            },
          ]
        : []),
      { label: t("board.send"), icon: "share", run: () => void take((file) => void meeting.shelf.send([file])) },
    ]);
  /** @param {MouseEvent} event */
  const choose = (event) => {
    drawing.tool.value = "pen";
    openMenu(
      event,
      t("board.colour"),
      NAMES.map((name, at) => ({ label: t(name), icon: at === colour ? "check" : "pencil", run: () => setColour(at) })),
    );
  };
  return html`<canvas
      class="board"
      ref=${element}
      data-tool=${active}
      aria-hidden="true"
      onPointerDown=${active === "look" ? null : press}
      onPointerMove=${active === "look" ? null : move}
      onPointerUp=${() => drawing.end()}
      onPointerCancel=${() => drawing.end()}
    />
    ${
      hasTools &&
      html`<div class="board-tools" role="toolbar" aria-label=${t("board.tools")}>
        <${BoardTool}
          icon="explore"
          label=${t("board.point")}
          pressed=${tool === "point"}
          run=${() => drawing.toggle("point")}
        />
        <${BoardTool} icon="pencil" label=${t("board.draw")} pressed=${tool === "pen"} run=${() => drawing.toggle("pen")} />
        <button
          type="button"
          class="plain square small"
          aria-haspopup="menu"
          aria-label=${t("board.colour")}
          title=${t("board.colour")}
          onClick=${choose}
        >
          <svg class="dot" viewBox="0 0 16 16" aria-hidden="true">
            <circle cx="8" cy="8" r="7" fill=${COLOURS[colour]} />
          </svg>
        </button>
        <${BoardTool} icon="undo" label=${t("board.undo")} run=${() => drawing.undo(board)} />
        ${
          drawing.mayWipe(board) &&
          html`<${BoardTool} icon="trash" label=${t("board.wipe")} run=${() => drawing.wipe(board)} />`
        }
        <${BoardTool} icon="picture" label=${t("board.snapshot")} run=${shoot} menu />
      </div>`
    }`;
}
