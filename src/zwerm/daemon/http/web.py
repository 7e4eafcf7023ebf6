"""The web app's listener: its files, the app API, and the RPC for the page, all on one origin of their own.

Content never comes from here, so a page of somebody else can never run with the app's rights. What the page may load
is said by the content security policy: its own files, and content from the gateway's origins as pictures, media,
frames and data.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final

import zwerm
from zwerm.daemon.app.api import AppApi
from zwerm.daemon.http import rpc, security
from zwerm.daemon.http.exchange import Exchange
from zwerm.daemon.http.static import StaticFiles
from zwerm.daemon.rpc.registry import Context

if TYPE_CHECKING:
    from zwerm.daemon.calls.handler import CallsHandler
    from zwerm.node.address import Address
    from zwerm.node.node import Node

CALLS: Final = "/api/calls/"
PEERJS: Final = "/peerjs"
NOTHING: Final = "'none'"
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
}


class WebHandler:
    """Answers requests of the web listener."""

    def __init__(
        self,
        node: Node,
        api: AppApi,
        gateway: Callable[[], Address | None],
        calls: Callable[[], Awaitable[CallsHandler | None]] | None = None,
        hosts: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """Join the parts.

        Args:
            node: the node.
            api: answers below `/api/app/`.
            gateway: where content is served.
            calls: returns the calls service, when there is one.
            hosts: names under which the app is reached, beside `api.hosts`.
        """
        self._node = node
        self._api = api
        self._gateway = gateway
        self._calls = calls
        self._hosts = hosts
        self._files = StaticFiles(Path(zwerm.__file__).parent / "web")

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        if not security.is_known_host(exchange.host, {*self._node.config.texts("api.hosts"), *self._hosts()}):
            text = f"host {security.host_name(exchange.host)!r} is not known here; add it to api.hosts\n"
            await exchange.send(403, {**_HEADERS, "Content-Type": "text/plain; charset=utf-8"}, text.encode())
            return
        path = exchange.raw_path
        if path.startswith("/api/app/"):
            await self._api(exchange)
        elif self._is_of_calls(path) and self._calls is not None and (calls := await self._calls()) is not None:
            await calls(exchange)
        elif path.startswith("/fetch/") and not (path.endswith(".js") and path.count("/") == 2):
            # To be given to others as it is; the page's own addresses stand behind a #.
            await exchange.send(302, {**_HEADERS, "Location": f"/#{path}"})
        elif path.startswith(rpc.PREFIX):
            if await self._api.let_in(exchange):
                await rpc.answer_command(Context(self._node), exchange, {})
        else:
            await self._files.answer(exchange, {**_HEADERS, "Content-Security-Policy": self._policy(exchange)})

    def _is_of_calls(self, path: str) -> bool:
        if path.startswith(CALLS):
            return True
        return (path == PEERJS or path.startswith(f"{PEERJS}/")) and self._node.config.boolean("calls.peerjs")

    def _policy(self, exchange: Exchange) -> str:
        gateway = self._gateway()
        content = " ".join(gateway_origins(gateway, exchange.host)) if gateway else ""
        return (
            "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; manifest-src 'self'; "
            f"worker-src 'self'; img-src 'self' data: blob: {content}; media-src blob: {content}; "
            f"connect-src 'self' {content}; frame-src {content or NOTHING}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )


def gateway_host(gateway: Address, host: str) -> str:
    """Return the name under which the gateway is reached by whoever opened the app under `host`."""
    name = security.host_name(host)
    if gateway.is_loopback or name in ("", "localhost", "127.0.0.1", "[::1]") or name.endswith(".localhost"):
        return "[::1]" if gateway.host == "::1" else "127.0.0.1"
    return name


def gateway_origins(gateway: Address, host: str) -> list[str]:
    """Return the origins, wildcards included, that content is shown from."""
    name = gateway_host(gateway, host)
    origins = [f"http://{name}:{gateway.port}"]
    if name in ("127.0.0.1", "[::1]"):
        origins += [f"http://localhost:{gateway.port}", f"http://*.ipfs.localhost:{gateway.port}"]
    else:
        origins += [f"http://*.ipfs.{name}:{gateway.port}"]
    return origins
