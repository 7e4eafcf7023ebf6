/** Internals: what do the connections of this browser and of the node do? */
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { Failure, read } from "../api.js";
import { duration } from "../format.js";
import { CandidatesCard } from "../internals/candidates-card.js";
import { CaptureCard } from "../internals/capture-card.js";
import { DescriptionsView } from "../internals/descriptions-view.js";
import { dumpOf, MOST_BYTES, readDump } from "../internals/dump.js";
import { EventsView } from "../internals/events-view.js";
import { FiguresCard } from "../internals/figures-card.js";
import { NodeConnections } from "../internals/node-connections.js";
import { recordings } from "../internals/recorder.js";
import { RecordsView } from "../internals/records-view.js";
import { saveFile } from "../internals/save-file.js";
import { Others } from "../internals/sharing.js";
import { addressWords, wayWords } from "../internals/way-picture.js";
import { t } from "../language.js";
import { EmptyState } from "../parts/empty-state.js";
import { FailureCard } from "../parts/failure-card.js";
import { Icon } from "../parts/icon.js";
import { PageHead } from "../parts/page-head.js";
import { asFailure } from "../resource.js";

/** @import {Recording} from "../internals/recording.js" */
/** @import {Internals} from "../internals/node-connections.js" */
/** @import {Key} from "../language.js" */

const EVERY = 1000; // ms between two looks, while the page is seen

/** @type {Record<string, Key>} */
const KINDS = { browser: "internals.kind.browser", node: "internals.kind.node", file: "internals.kind.file" };

/** All that there is to look at, kept up to date while the page is open. */
function useLooking() {
  const node = useRef(new NodeConnections());
  const others = useRef(/** @type {Others | null} */ (null));
  const [opened, setOpened] = useState(/** @type {Recording[]} */ ([]));
  const [told, setTold] = useState(/** @type {Internals | null} */ (null));
  const [, setTurn] = useState(0);
  const look = async () => {
    others.current?.ask();
    try {
      const internals = /** @type {Internals} */ (await read("internals"));
      node.current.take(internals);
      setTold(internals);
    } catch (error) {
      if (!(error instanceof Failure)) throw error; // the shell says that the node is away
    }
    setTurn((turn) => turn + 1);
  };
  useEffect(() => {
    others.current = new Others();
    void look();
    const timer = setInterval(() => {
      if (!document.hidden) void look();
    }, EVERY);
    return () => {
      clearInterval(timer);
      others.current?.close();
    };
  }, []);
  const all = [
    ...recordings.value,
    ...(others.current?.recordings.values() ?? []),
    ...node.current.recordings.values(),
    ...opened,
  ];
  return { all, told, look, open: (/** @type {Recording[]} */ more) => setOpened((before) => [...before, ...more]) };
}

/** @param {Recording[]} all */
function answerOf(all) {
  const open = all.filter((each) => !each.ended);
  if (!open.length) return t("internals.answer.none");
  const node = open.filter((each) => each.kind === "node").length;
  const browser = open.length - node;
  if (!node) return t("internals.answer.browser", { n: browser });
  if (!browser) return t("internals.answer.node", { n: node });
  return `${t("internals.answer.browser", { n: browser })} ${t("internals.answer.node", { n: node })}`;
}

/** @param {Recording} recording */
const nameOf = (recording) => recording.label || t("internals.unnamed");

/** @param {Recording} recording */
function stateOf(recording) {
  const state = recording.states.connectionState ?? recording.states.iceConnectionState ?? "new";
  if (recording.kind === "file") return { kind: "", words: state };
  if (recording.ended) return { kind: "", words: t("internals.ended") };
  const kind = { connected: "good", completed: "good", failed: "bad", disconnected: "warn" }[state] ?? "";
  return { kind, words: state };
}

/** @param {{recording: Recording, chosen: boolean, choose: () => void}} props */
function Row({ recording, chosen, choose }) {
  const { kind, words } = stateOf(recording);
  const selected = recording.selected;
  return html`<li>
    <button type="button" class="plain connection" aria-pressed=${chosen} onClick=${choose}>
      <span>
        <b class="ellipsis">${nameOf(recording)}</b>
        <small class="quiet"
          >${t(KINDS[recording.kind])} · ${duration(Math.round((Date.now() - recording.opened) / 1000))}</small
        >
      </span>
      <span class="small quiet"
        >${selected ? `${wayWords(selected.local, selected.remote)}, ${addressWords(selected.remote)}` : ""}</span
      >
      <span class=${`state ${kind}`}>${words}</span>
    </button>
  </li>`;
}

/** @type {{name: string, label: Key}[]} */
const VIEWS = [
  { name: "events", label: "internals.events" },
  { name: "sdp", label: "internals.sdp" },
  { name: "records", label: "internals.records" },
];

/**
 * A recording is one object that grows: `turn` tells that it did, or nothing would be drawn anew.
 * @param {{recording: Recording, turn: number}} props
 */
function Detail({ recording, turn }) {
  const [view, setView] = useState("events");
  return html`<${FiguresCard} recording=${recording} turn=${turn} />
    <${CandidatesCard} recording=${recording} turn=${turn} />
    <section class="card">
      <header>
        <div class="segments" role="group" aria-label=${t("internals.views")}>
          ${VIEWS.map(
            ({ name, label }) =>
              html`<button key=${name} type="button" aria-pressed=${view === name} onClick=${() => setView(name)}>
                ${t(label)}
              </button>`,
          )}
        </div>
      </header>
      ${
        view === "events"
          ? html`<${EventsView} recording=${recording} turn=${turn} />`
          : view === "sdp"
            ? html`<${DescriptionsView} recording=${recording} turn=${turn} />`
            : html`<${RecordsView} recording=${recording} turn=${turn} />`
      }
    </section>`;
}

export function InternalsPage() {
  const { all, told, look, open } = useLooking();
  const [chosenId, setChosenId] = useState("");
  const [failure, setFailure] = useState(/** @type {Failure | null} */ (null));
  const file = useRef(/** @type {HTMLInputElement | null} */ (null));
  const shown = all.toReversed();
  const chosen = shown.find((each) => each.id === chosenId) ?? shown.find((each) => !each.ended) ?? shown[0];
  const save = () => {
    const stamp = new Date().toISOString().slice(0, 19).replace(/\D/g, "");
    saveFile(new Blob([dumpOf(all)], { type: "application/json" }), `webrtc_internals_dump_${stamp}.txt`);
  };
  /** @param {any} event */
  const load = async (event) => {
    const [picked] = event.currentTarget.files;
    event.currentTarget.value = "";
    setFailure(null);
    try {
      const text = picked.size > MOST_BYTES ? "" : await picked.text();
      const found = readDump(text, picked.name);
      open(found);
      setChosenId(found[0]?.id ?? "");
    } catch (error) {
      setFailure(asFailure(error));
    }
  };
  return html`<${PageHead} title=${t("nav.internals")} answer=${told ? answerOf(all) : null} long>
      <button type="button" class="wide" onClick=${() => file.current?.click()}>
        <${Icon} name="upload" />${t("internals.open")}
      </button>
      <button type="button" class="wide" disabled=${!all.length} onClick=${save}>
        <${Icon} name="download" />${t("internals.save")}
      </button>
      <input ref=${file} type="file" class="unseen" tabindex="-1" aria-label=${t("internals.open")} onChange=${load} />
    <//>
    ${failure && html`<section class="card"><${FailureCard} failure=${failure} /></section>`}
    <section class="card">
      <header><h2>${t("internals.list")}</h2></header>
      ${
        shown.length
          ? html`<ul class="connections">
              ${shown.map(
                (each) =>
                  html`<${Row}
                    key=${each.id}
                    recording=${each}
                    chosen=${each === chosen}
                    choose=${() => setChosenId(each.id)}
                  />`,
              )}
            </ul>`
          : html`<${EmptyState} title=${t("internals.empty")} text=${t("internals.empty.text")} />`
      }
    </section>
    ${chosen && html`<${Detail} key=${chosen.id} recording=${chosen} turn=${chosen.turn} />`}
    ${told?.capture && html`<${CaptureCard} capture=${told.capture} reload=${() => void look()} />`}`;
}
