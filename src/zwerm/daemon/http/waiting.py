"""Pages whose content has to come from others: it is looked for on, while a page says to a person how that stands.

Only navigations of browsers get it (Fetch Metadata, `Sec-Fetch-Mode: navigate`): programs, and pictures and scripts
of pages, wait as long as `gateway.timeout` says.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import logging
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from zwerm.ipfs.gateway import pages
from zwerm.ipfs.gateway.message import GatewayRequest, GatewayResponse

if TYPE_CHECKING:
    from zwerm.node.fetches import Fetch
    from zwerm.node.network import Network

log: Final = logging.getLogger("zwerm.gateway")

PATIENCE: Final = 3.0  # seconds until a person is told that it takes longer
AGAIN: Final = 2  # seconds after which the page is loaded again
MAX_LOOKS: Final = 64  # that nobody waits for at a connection; with more, those wait as programs do
_KEPT: Final = 30.0  # seconds that what was found is kept for a page that does not come back


def is_navigation(request: GatewayRequest) -> bool:
    """Whether a browser will show the answer as a page of its own, or in a frame."""
    headers = request.headers
    is_page = headers.get("sec-fetch-mode") == "navigate" and "text/html" in headers.get("accept", "")
    return request.method == "GET" and is_page and "range" not in headers


@dataclasses.dataclass(slots=True, eq=False)
class _Look:
    """What is looked for on behalf of one page, however often that is loaded."""

    tag: str
    task: asyncio.Task[GatewayResponse]
    waiting: int = 0  # connections
    is_shown: bool = False  # somebody has the page that says how it stands, and will come again


class Looks:
    """What is looked for on behalf of pages."""

    def __init__(
        self,
        look: Callable[[GatewayRequest, str], Coroutine[Any, Any, GatewayResponse]],
        network: Callable[[], Network | None],
        *,
        patience: float = PATIENCE,
    ) -> None:
        """`look` answers a request in the end, and opens its retrievals under the tag it is given."""
        self._answer = look
        self._network = network
        self._patience = patience
        self._numbers = itertools.count()
        self._looks: dict[tuple[str, ...], _Look] = {}

    def next_tag(self) -> str:
        """Return a tag that no other request has."""
        return f"gateway {next(self._numbers)}"

    async def respond(self, request: GatewayRequest) -> GatewayResponse:
        """Answer when what was asked for is here soon, else say how it stands and go on looking."""
        key = (request.host, request.path, request.query, request.headers.get("if-none-match", ""))
        look = self._looks.get(key)
        if look is None:
            tag = self.next_tag()
            if len(self._looks) >= MAX_LOOKS:
                return await self._answer(request, tag)
            look = self._looks[key] = _Look(tag, asyncio.ensure_future(self._answer(request, tag)))
        look.waiting += 1
        try:
            done, _ = await asyncio.wait([look.task], timeout=self._patience)
        except asyncio.CancelledError:  # the person went away
            if look.waiting == 1 and not look.is_shown:
                self._looks.pop(key, None)
                look.task.cancel()
            raise
        finally:
            look.waiting -= 1
        if not done:
            if not look.is_shown:
                look.is_shown = True
                look.task.add_done_callback(lambda _: self._keep(key, look))
            return self._page(request, look.tag)
        if self._looks.get(key) is look:
            del self._looks[key]
            return await look.task
        return await self._answer(request, self.next_tag())  # another connection had its answer; all is here now

    def tried(self, tag: str) -> list[str]:
        """Return who was tried for a look, a line each."""
        from zwerm.ipfs.exchange.failure import Search, tried_lines

        found: list[str] = []
        for fetch in self._fetches(tag):
            search = Search(failures=fetch.unreachable, others=list(fetch.others))
            found += tried_lines([giver.name for giver in fetch.givers], fetch.asked, search)
        return found

    async def close(self) -> None:
        """End every look. Idempotent."""
        tasks = [look.task for look in self._looks.values()]
        self._looks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _keep(self, key: tuple[str, ...], look: _Look) -> None:
        """Keep an answer for a while; a page that was closed never asks for it."""
        if self._looks.get(key) is look:
            asyncio.get_running_loop().call_later(_KEPT, self._drop, key, look)

    def _drop(self, key: tuple[str, ...], look: _Look) -> None:
        if self._looks.get(key) is look:
            del self._looks[key]
            if (error := look.task.exception()) is not None:
                log.error("%s failed", key[1], exc_info=error)

    def _fetches(self, tag: str) -> list[Fetch]:
        from zwerm.node.fetches import fetches

        network = self._network()
        return [] if network is None else fetches(network, tag)

    def _page(self, request: GatewayRequest, tag: str) -> GatewayResponse:
        from zwerm.node.fetches import transport_name

        words = "Looking for somebody who has it."
        came: list[str] = []
        for fetch in self._fetches(tag):
            words = _words(fetch)
            for giver in fetch.givers:
                way = "http" if not giver.is_peer else transport_name(giver.address) if giver.address else "gone"
                came.append(f"{pages.human_size(giver.size)} from {giver.name} ({way})")
        body = pages.waiting_page(request.path, words, came, again=AGAIN).encode()
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            "Retry-After": str(AGAIN),
        }
        return GatewayResponse(HTTPStatus.SERVICE_UNAVAILABLE, headers, body, len(body))


def _words(fetch: Fetch) -> str:
    """Say how far a fetch has come."""
    if fetch.blocks:
        return f"{pages.human_size(fetch.size)} came in {fetch.seconds:.0f} seconds."
    asked = f"{len(fetch.asked)} {'node was' if len(fetch.asked) == 1 else 'nodes were'} asked"
    if fetch.found:
        gone = f", {len(fetch.unreachable)} of them cannot be reached" if fetch.unreachable else ""
        return f"{fetch.found} {'node has' if fetch.found == 1 else 'nodes have'} it{gone}; {asked}."
    return f"{asked}; looking for others who have it." if fetch.asked else "Looking for somebody who has it."
