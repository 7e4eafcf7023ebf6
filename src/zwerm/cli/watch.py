"""What a person sees while the daemon fetches something from others: from whom it comes, and who was tried in vain.

The command runs as ever; beside it a thread asks the daemon how that one request stands (`stats/fetches`).
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from zwerm.cli.output import human_size, safe
from zwerm.cli.progress import Progress
from zwerm.cli.session import Session
from zwerm.core.errors import ZwermError
from zwerm.daemon.rpc.registry import find
from zwerm.node.fetches import Rates

if TYPE_CHECKING:
    from zwerm.cli.http_client import HttpClient

_PAUSE: Final = 0.4  # seconds between two looks
_NAMED: Final = 3  # sources named in the line below the bar


class Watch:
    """The fetches of one command."""

    def __init__(self, client: HttpClient | None, bar: Progress) -> None:
        """`client` is another one than the command's; None: nothing is fetched by a daemon."""
        self.fetches: list[dict[str, Any]] = []  # as they were seen last
        self._client = client
        self._bar = bar
        self._rates = Rates()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        if client is not None and bar.shown:
            self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
            self._thread.start()

    def look(self) -> None:
        """Ask the daemon once; whatever it cannot say leaves things as they were."""
        if self._client is None:
            return
        try:
            answer = self._client.call(find("stats/fetches"), options={"tag": self._client.tag})
            try:
                self.fetches = next(iter(answer.items()), {"Fetches": []})["Fetches"]
            finally:
                answer.close()
        except ZwermError:
            self._end.set()  # an older daemon, or one that is ending: nobody needs to know

    def stop(self) -> None:
        """End the thread. Idempotent."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(_PAUSE):
            self.look()
            if self.fetches and not self._end.is_set():
                self._rates.turn()
                self._bar.note("; ".join(self._line(fetch) for fetch in self.fetches))

    def _line(self, fetch: dict[str, Any]) -> str:
        rates = {
            giver["Name"]: self._rates.rate((fetch["Root"], giver["Name"]), fetch["Seconds"], giver["Size"])
            for giver in fetch["From"]
        }
        givers = sorted(fetch["From"], key=lambda giver: rates[giver["Name"]], reverse=True)
        named = [f"{_name(giver)} {human_size(rates[giver['Name']])}/s" for giver in givers[:_NAMED]]
        more = f" and {len(givers) - _NAMED} more" if len(givers) > _NAMED else ""
        return f"from {', '.join(named)}{more}" if named else phase_line(fetch)


@contextmanager
def watched(session: Session, bar: Progress) -> Iterator[Watch]:
    """Watch what is fetched while the context is open; on failure the error says, to a terminal, who was tried."""
    client = None if session.client.is_local else cast("HttpClient", session.client)
    watcher = None
    if client is not None and (bar.shown or session.settings.json):
        client.tag = secrets.token_urlsafe(12)
        watcher = client.watcher()
        watcher.tag = client.tag
    watch = Watch(watcher, bar)
    try:
        yield watch
    except ZwermError as error:
        watch.stop()
        if watcher is not None and bar.shown:
            watch.look()
            for line in (line for fetch in watch.fetches for line in failure_lines(fetch)):
                error.add_note(line)
        raise
    else:
        watch.stop()
        if watcher is not None:
            watch.look()
    finally:
        watch.stop()
        if client is not None:
            client.tag = None


def sources(fetches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return who gave something, all fetches together, who gave most first."""
    found: dict[str, dict[str, Any]] = {}
    for giver in (giver for fetch in fetches for giver in fetch["From"]):
        known = found.setdefault(giver["Name"], {**giver, "Blocks": 0, "Size": 0})
        known["Blocks"] += giver["Blocks"]
        known["Size"] += giver["Size"]
    for giver in found.values():
        giver.pop("Rate", None)
    return sorted(found.values(), key=lambda giver: giver["Size"], reverse=True)


def source_lines(fetches: list[dict[str, Any]]) -> list[str]:
    """One line for each source of something."""
    return [f"  {human_size(giver['Size']):>9} from {safe(giver['Name'])}{_way(giver)}" for giver in sources(fetches)]


def phase_line(fetch: dict[str, Any]) -> str:
    """Say in a few words how far a fetch has come that has nothing yet."""
    asked, found, gone = len(fetch["Asked"]), fetch["Providers"], len(fetch["Unreachable"])
    if fetch["Phase"] == "failed":
        return f"{_count(found, 'provider')} found, none reached; looking for others"
    if fetch["Phase"] == "asking":
        providers = f"{_count(found, 'provider')} found" + (f", {gone} not reached; " if gone else "; ")
        return f"{providers if found else ''}asking {_count(asked, 'peer')}"
    return "looking for somebody who has it"


def failure_lines(fetch: dict[str, Any]) -> Iterator[str]:
    """Say who was tried, a line each; to be read below the error."""
    for giver in fetch["From"]:
        yield f"  gave {human_size(giver['Size'])}: {safe(giver['Name'])}{_way(giver)}"
    gave = {giver["Name"] for giver in fetch["From"]}
    for peer in fetch["Asked"]:
        if peer not in gave:
            yield f"  asked in vain: {peer}"
    for failed in fetch["Unreachable"]:
        yield f"  not reached: {failed['Peer']}: {safe(failed['Reason'])}"
    for reason in fetch["Others"]:
        yield f"  {safe(reason)}"


def _name(giver: dict[str, Any]) -> str:
    name = safe(giver["Name"])
    return (f"{name[:6]}…{name[-4:]}" if giver["Peer"] else name) + _way(giver)


def _way(giver: dict[str, Any]) -> str:
    words = [giver["Transport"]] if giver["Transport"] else []
    words += ["relayed"] if giver["Relayed"] else []
    return f" ({', '.join(words)})" if words else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
