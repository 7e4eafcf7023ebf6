"""The listener for plain HTTP beside HTTPS: what has to be said before there is a certificate, and nothing else.

Answers to an ACME authority (RFC 8555 section 8.3), the page `/trust` of a local authority, and for the rest the way to
HTTPS.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from zwerm.daemon.http import security
from zwerm.daemon.http.exchange import Exchange
from zwerm.daemon.tls.trust import TrustPages

CHALLENGES: Final = "/.well-known/acme-challenge/"
_TEXT: Final = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}


class PlainHandler:
    """Answers requests of the plain listener."""

    def __init__(
        self,
        challenges: Mapping[str, str],
        hosts: Callable[[], Collection[str]],
        port: Callable[[], int],
        trust: TrustPages | None = None,
    ) -> None:
        """Say what there is.

        Args:
            challenges: answers to an ACME authority, by token.
            hosts: names under which HTTPS is reached; anybody who asks for another is sent nowhere.
            port: where HTTPS is.
            trust: the pages of a local authority.
        """
        self._challenges = challenges
        self._hosts = hosts
        self._port = port
        self._trust = trust

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        path = exchange.raw_path
        if exchange.method not in ("GET", "HEAD"):
            await exchange.send(405, {**_TEXT, "Allow": "GET, HEAD"}, b"405 - only GET here\n")
        elif path.startswith(CHALLENGES):
            answer = self._challenges.get(path.removeprefix(CHALLENGES))
            if answer is None:
                await exchange.send(404, _TEXT, b"404 - no such challenge\n")
            else:
                await exchange.send(200, {**_TEXT, "Content-Type": "application/octet-stream"}, answer.encode())
        elif not security.is_known_host(exchange.host, self._hosts()):
            await exchange.send(421, _TEXT, b"421 - this name does not lead here\n")
        elif self._trust is not None and (path == "/trust" or path.startswith("/trust/")):
            await self._trust(exchange, self._secure(exchange))
        elif self._trust is not None and path == "/":
            await exchange.send(302, {**_TEXT, "Location": "/trust", "Cache-Control": "no-store"})
        else:
            query = f"?{exchange.query_text}" if exchange.query_text else ""
            await exchange.send(308, {**_TEXT, "Location": f"{self._secure(exchange)}{path}{query}"})

    def _secure(self, exchange: Exchange) -> str:
        """The origin of HTTPS under the name that was asked for."""
        name, port = security.host_name(exchange.host) or "localhost", self._port()
        return f"https://{name}" if port == 443 else f"https://{name}:{port}"
