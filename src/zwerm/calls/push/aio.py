"""Sends push messages over HTTPS (RFC 8030).

Where a message goes, a browser said; so a stranger could make the service ask for any address. Only HTTPS to public
addresses is asked for, nothing is followed, and of an answer only the status is read.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import socket
import time
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography.hazmat.primitives.asymmetric import ec

from zwerm.calls.push.encryption import encrypt
from zwerm.calls.push.vapid import Vapid
from zwerm.calls.store.notices import Subscription
from zwerm.core.errors import TransportError, WireError

TIMEOUT: Final = 10.0  # seconds for one message
SCHEMES: Final = ("https://",)


class PushFailed(TransportError):
    """The push service did not take it now; it may later."""


class SubscriptionGone(TransportError):
    """The browser does not want messages there any more."""


class WebPush:
    """Sends push messages with one key."""

    def __init__(self, contact: str, *, allow_private: bool = False, schemes: tuple[str, ...] = SCHEMES) -> None:
        """Send for whoever is reached under `contact`, a mailto: or https: address.

        `allow_private` and other schemes are for push services of one's own network.
        """
        self._contact = contact
        self._allow_private = allow_private
        self.schemes = schemes
        self._vapid: Vapid | None = None
        self._session: aiohttp.ClientSession | None = None

    def use_key(self, key: str) -> str:
        """Sign with this key from now on; return the public one."""
        self._vapid = Vapid(key, self._contact)
        return self._vapid.public

    async def send(self, to: Subscription, message: dict[str, Any], *, lifetime: int, topic: str) -> None:
        """Hand a message to the browser's push service.

        Raises:
            SubscriptionGone: it will never be taken.
            PushFailed: it may be tried again.
        """
        if self._vapid is None:
            raise PushFailed("push messages have no key yet")
        if not self._allow_private and not _may_be_public(to.endpoint):
            raise PushFailed("the push service has an address that is not public")
        try:
            key = ec.generate_private_key(ec.SECP256R1())
            body = encrypt(json.dumps(message).encode(), to.p256dh, to.auth, key=key, salt=os.urandom(16))
        except WireError as error:
            raise SubscriptionGone(str(error)) from error
        headers = {
            "TTL": str(lifetime),
            "Urgency": "high",
            "Topic": topic,
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "Authorization": self._vapid.authorization(to.endpoint, time.time()),
        }
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await self._http().post(to.endpoint, data=body, headers=headers, allow_redirects=False)
                answer.release()
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise PushFailed(f"the push service did not answer: {str(error)[:100] or type(error).__name__}") from error
        if answer.status in (404, 410):
            raise SubscriptionGone(f"the push service answered {answer.status}")
        if not 200 <= answer.status < 300:
            raise PushFailed(f"the push service answered {answer.status}")

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=None if self._allow_private else _PublicOnly(), limit=32, enable_cleanup_closed=False
            )
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()


def _may_be_public(endpoint: str) -> bool:
    """Whether the host is a name, which is judged when it is looked up, or a public address."""
    try:
        return ipaddress.ip_address(urlsplit(endpoint).hostname or "").is_global
    except ValueError:
        return True


class _PublicOnly(AbstractResolver):
    """Looks names up, and knows only the addresses that everybody may reach."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        infos = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        found = [
            ResolveResult(hostname=host, host=str(name[0]), port=port, family=kind, proto=protocol, flags=0)
            for kind, _, protocol, _, name in infos
            if ipaddress.ip_address(str(name[0]).partition("%")[0]).is_global
        ]
        if not found:
            raise OSError(f"{host} has no public address")
        return found

    async def close(self) -> None:
        """Nothing is held."""
