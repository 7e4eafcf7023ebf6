"""The pages that the gateway makes itself: directory listings, block summaries and errors.

They carry their own small style, the look of the web app in a few rules, and no script: a content origin gives nothing
that runs. All text in them comes from strangers and is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import quote

from zwerm.core.escaped import legible

PAGES_VERSION: Final = "1"  # part of the ETag of made pages: raise it when one changes

_STYLE: Final = """
:root{color-scheme:light dark;--ground:light-dark(oklch(98.4% .004 250),oklch(18.5% .014 255));
--card:light-dark(#fff,oklch(22.5% .016 255));--line:light-dark(oklch(90% .01 250),oklch(31% .018 255));
--sunken:light-dark(oklch(95.8% .006 250),oklch(15.5% .012 255));
--ink:light-dark(oklch(25% .025 255),oklch(94% .008 250));--soft:light-dark(oklch(47% .02 255),oklch(73% .016 250));
--dusk:light-dark(oklch(47% .13 262),oklch(76% .11 262))}
*{box-sizing:border-box;margin:0}
body{background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
font-variant-numeric:tabular-nums;padding:2rem 1rem 3rem}
main{max-width:60rem;margin:auto}
a{color:var(--dusk);text-decoration:none}a:hover{text-decoration:underline}
:focus-visible{outline:2px solid var(--dusk);outline-offset:2px;border-radius:4px}
h1{font-size:1.75rem;line-height:1.2;letter-spacing:-.02em;overflow-wrap:anywhere}
p{color:var(--soft);margin-top:.5rem;overflow-wrap:anywhere}
code{font:.8125rem ui-monospace,"SF Mono",monospace;color:var(--soft);overflow-wrap:anywhere}
.card{background:var(--card);border:1px solid var(--line);border-radius:.75rem;margin-top:1.5rem;overflow:clip}
table{width:100%;border-collapse:collapse}th{text-align:left;font-size:.8125rem;font-weight:500;color:var(--soft)}
th,td{padding:.5rem 1rem}tr+tr td,thead+tbody td{border-top:1px solid var(--line)}
tbody tr:hover{background:var(--sunken)}
td:first-child{overflow-wrap:anywhere;width:100%}.end{text-align:right;white-space:nowrap;color:var(--soft)}
td svg{width:1.25rem;height:1.25rem;vertical-align:-.25rem;margin-right:.75rem;stroke:var(--dusk);fill:none;
stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}
footer{margin-top:1.5rem;font-size:.8125rem;color:var(--soft);display:flex;gap:1rem;flex-wrap:wrap}
pre{padding:1rem;overflow:auto;font:.8125rem/1.5 ui-monospace,"SF Mono",monospace}
@media(max-width:40rem){.wide{display:none}body{padding:1rem .5rem 2rem}th,td{padding:.5rem .75rem}}
"""
_FOLDER: Final = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 6h6l2 2h8v11H4z"/></svg>'
_FILE: Final = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 3h8l4 4v14H6zM14 3v4h4"/></svg>'


class Row(NamedTuple):
    """One entry of a listing."""

    name: str
    cid: str
    size: int | None  # bytes of the DAG below it, None when the directory does not say
    directory: bool | None  # None when only the entry's own block would tell


def page_head(title: str) -> str:
    """Everything before the content of a page."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta name="generator" content="zwerm"><title>{escape(title)}</title><style>{_STYLE}</style><main>'
    )


def listing_head(path: str, cid: str, *, parent: bool) -> str:
    """The listing above its rows."""
    path = legible(path)
    name = path.rstrip("/").rsplit("/", 1)[-1]
    up = f'<tr><td><a href="..">{_FOLDER}..</a></td><td class="wide"></td><td></td></tr>' if parent else ""
    return (
        page_head(f"{name} · zwerm")
        + f"<h1>{escape(short(name))}</h1><p>{escape(path)}</p>"
        + f'<p><code>{escape(cid)}</code></p><div class="card"><table><thead><tr><th>Name</th>'
        + '<th class="wide">Address</th><th class="end">Size</th></tr></thead><tbody>'
        + up
    )


def listing_rows(rows: Iterable[Row]) -> str:
    """The rows of one page."""
    return "".join(_row(row) for row in rows)


def _row(row: Row) -> str:
    icon = _FOLDER if row.directory else _FILE
    target = "./" + _quoted(row.name) + ("/" if row.directory else "")
    size = "" if row.size is None else human_size(row.size)
    return (
        f'<tr><td><a href="{target}">{icon}{escape(legible(row.name))}</a></td>'
        f'<td class="wide"><code title="{escape(row.cid)}">{escape(short(row.cid))}</code></td>'
        f'<td class="end">{size}</td></tr>'
    )


def listing_tail(entries: int, *, after: str | None = None, following: str | None = None) -> str:
    """The listing below its rows: how many there are, and the way to the rest.

    Args:
        entries: rows above.
        after: the name behind which this page begins, None on the first.
        following: the name behind which the next page begins, None when this is the last.
    """
    if after is None and following is None:
        said = "This folder is empty." if not entries else f"{entries:,} {'entry' if entries == 1 else 'entries'}"
        ways = ""
    else:
        said = f"{entries:,} of its entries"
        first = "" if after is None else '<a href="?">First page</a>'
        ways = first if following is None else f'{first}<a rel="next" href="?after={_quoted(following)}">Next page</a>'
    return (
        f"</tbody></table></div><footer><span>{said}</span>{ways}"
        '<a href="?format=tar">Download as tar</a><a href="?format=car">Download as CAR</a></footer></main>'
    )


def _quoted(name: str) -> str:
    return quote(name, safe="", errors="surrogateescape")


def node_page(path: str, cid: str, codec: str, text: str, format_word: str) -> str:
    """A structured block as text, with the way to its bytes."""
    return (
        page_head(f"{short(cid)} · zwerm")
        + f"<h1>{escape(codec)}</h1><p>{escape(legible(path))}</p><p><code>{escape(cid)}</code></p>"
        + f'<div class="card"><pre>{escape(text)}</pre></div><footer>'
        + f'<a href="?format={format_word}">Download as {escape(codec)}</a>'
        + '<a href="?format=raw">Download the block</a></footer></main>'
    )


_ADVICE: Final[dict[HTTPStatus, tuple[str, str]]] = {
    HTTPStatus.BAD_REQUEST: ("This address cannot be read", "Check it for a letter too many, too few or changed."),
    HTTPStatus.NOT_FOUND: (
        "Nothing is here",
        "The content may be on a node that cannot be reached, or the name wrong.",
    ),
    HTTPStatus.GATEWAY_TIMEOUT: (
        "This could not be fetched",
        "Nobody gave it in time. Try again: the search goes on from there.",
    ),
    HTTPStatus.NOT_ACCEPTABLE: ("This form does not exist", "Ask for ?format=raw to have the block as it is."),
    HTTPStatus.GONE: ("This is not shown here", "The keeper of this gateway has put it on a list of refused content."),
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: (
        "This may not be shown here",
        "A legal demand keeps it from this gateway.",
    ),
}


_PHASES: Final = {  # why a fetch failed, by the phase it failed in
    "no providers": "Nobody who can be asked has it now. It comes when somebody who has it is there again.",
    "dial": "Those who have it cannot be reached now. Try again later.",
    "transfer": "Those who have it gave only a part. What came is kept, so trying again goes on from there.",
}


def error_page(status: HTTPStatus, message: str, *, phase: str = "", details: Sequence[str] = ()) -> str:
    """What went wrong, in words a visitor can use.

    Args:
        status: the answer's.
        message: the one line for those who know.
        phase: of a fetch, what it failed in.
        details: who was tried, a line each.
    """
    what, advice = _ADVICE.get(status, ("This did not work", "Try again in a moment."))
    advice = _PHASES.get(phase, advice)
    return (
        page_head(f"{what} · zwerm")
        + f"<h1>{what}</h1><p>{advice}</p>"
        + f'<div class="card"><pre>{status.value} {escape(status.phrase)}: {escape(message)}</pre></div>'
        + (_card("Who was tried", details) if details else "")
        + "</main>"
    )


def waiting_page(path: str, words: str, came: Sequence[str], *, again: int) -> str:
    """What is shown while content is looked for; it loads itself again.

    Args:
        path: what was asked for.
        words: how far the search has come.
        came: from whom something came already, a line each.
        again: seconds until it is loaded again.
    """
    path = legible(path)
    return (
        page_head("Looking · zwerm")
        + f'<meta http-equiv="refresh" content="{again}">'
        + f"<h1>This is being fetched from others</h1><p>{escape(path)}</p>"
        + f'<p role="status">{escape(words)}</p>'
        + (_card("From whom", came) if came else "")
        + "<footer><span>This page opens what was asked for as soon as it is here.</span></footer></main>"
    )


def _card(title: str, lines: Sequence[str]) -> str:
    rows = "".join(f"<tr><td>{escape(legible(line))}</td></tr>" for line in lines)
    return f'<div class="card"><table><thead><tr><th>{title}</th></tr></thead><tbody>{rows}</tbody></table></div>'


def short(text: str) -> str:
    """The first 6 and last 4 characters of what is too long to read, which a hash is."""
    return text if len(text) <= 40 or " " in text or "." in text else f"{text[:6]}…{text[-4:]}"


def human_size(size: int) -> str:
    """1,536 becomes "1.5 KiB"."""
    if size < 1024:
        return f"{size} B"
    power = min((size.bit_length() - 1) // 10, 5)
    unit, value = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")[power], size / 1024**power
    return f"{value:.1f} {unit}" if value < 100 else f"{value:.0f} {unit}"
