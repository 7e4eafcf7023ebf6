/** The rooms of the account, and a field for a link that somebody gave. */
import { html, useState } from "../vendor/preact.js";
import { device, session } from "../calls/session.js";
import { when } from "../format.js";
import { t } from "../language.js";
import { EmptyState } from "../parts/empty-state.js";
import { Icon } from "../parts/icon.js";
import { Skeleton } from "../parts/skeleton.js";
import { useResource } from "../resource.js";
import { go, href } from "../route.js";
import { Invitation } from "./invitation.js";
import { knownRooms, linkIn } from "./known-rooms.js";
import { RoomFailure } from "./room-failure.js";

/** @typedef {{room: string, title: string, waiting: boolean, locked: boolean, keep_chat: number, created: number}} Row */

export function PasteCard() {
  const [text, setText] = useState("");
  const [isWrong, setWrong] = useState(false);
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const link = linkIn(text);
    setWrong(link === null);
    if (link) go(href("rooms", link));
  };
  return html`<section class="card">
    <header><h2>${t("rooms.paste")}</h2></header>
    <form class="body stack tight" onSubmit=${submit}>
      <div class="row">
        <input
          class="field"
          aria-label=${t("rooms.paste.label")}
          aria-invalid=${isWrong}
          autocomplete="off"
          placeholder=${`${location.origin}/#/rooms/…`}
          value=${text}
          onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)}
        />
        <button type="submit" disabled=${!text.trim()}>${t("rooms.go")}</button>
      </div>
      ${isWrong && html`<p class="fault" role="alert">${t("rooms.paste.wrong")}</p>`}
    </form>
  </section>`;
}

/** @param {{row: Row}} props */
function RoomLine({ row }) {
  const [isInviting, setInviting] = useState(false);
  const known = knownRooms.value.find(({ room }) => room === row.room);
  return html`<li>
    <${Icon} name="room" />
    <span class="grow">
      <b class="ellipsis">${row.title}</b>
      <small class="quiet">
        ${[
          when(new Date(1000 * row.created).toISOString()),
          row.waiting && t("rooms.hasDoor"),
          row.locked && t("rooms.locked"),
          !known && t("rooms.linkElsewhere"),
        ]
          .filter(Boolean)
          .join(" · ")}
      </small>
    </span>
    ${
      known &&
      html`<button
          type="button"
          class="small"
          aria-label=${t("rooms.inviteTo", { name: row.title })}
          onClick=${() => setInviting(true)}
        >
          <${Icon} name="qr" />${t("rooms.invite")}</button
        ><a
          class="button small first"
          href=${href("rooms", known.link)}
          aria-label=${t("rooms.enter.label", { name: row.title })}
          >${t("rooms.enter")}</a
        >`
    }
    ${
      isInviting &&
      known &&
      html`<${Invitation}
        link=${known.link}
        title=${row.title}
        waits=${row.waiting}
        close=${() => setInviting(false)}
      />`
    }
  </li>`;
}

/** @param {{open: () => void}} props */
export function RoomList({ open }) {
  const turn = session.value?.turn.value ?? 0;
  const rooms = useResource(
    async () => /** @type {Row[]} */ (session.value ? (await session.value.ask("rooms")).rooms : []),
    [device.value?.name ?? ""],
    `${turn} ${knownRooms.value.length}`,
  );
  if (!device.value)
    return html`<section class="card">
      <${EmptyState} title=${t("rooms.empty")} text=${t("rooms.noAccount")}>
        <a class="button first" href="#/calls">${t("rooms.account")}</a>
      <//>
    </section>`;
  return html`<section class="card">
    ${
      rooms.failure
        ? html`<${RoomFailure} failure=${rooms.failure} />`
        : !rooms.data
          ? html`<${Skeleton} rows=${3} />`
          : rooms.data.length === 0
            ? html`<${EmptyState} title=${t("rooms.empty")} text=${t("rooms.text")}>
                <button type="button" class="first" onClick=${open}>${t("rooms.open")}</button>
              <//>`
            : html`<ul class="rooms">
                ${rooms.data.toReversed().map((row) => html`<${RoomLine} key=${row.room} row=${row} />`)}
              </ul>`
    }
  </section>`;
}
