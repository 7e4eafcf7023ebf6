"""A mail server and a push service of the tests' own: real ones, on loopback, and as bad as they are told to be."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import http_ece
from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography.hazmat.primitives.asymmetric import ec

from zwerm.calls.identity import decode, encode, verify
from zwerm.calls.push.encryption import public_bytes


class MailServer:
    """Takes mails, or answers what it is told."""

    def __init__(self) -> None:
        self.answers: list[str] = []  # instead of taking a mail, one each
        self.attempts = 0
        self.mails: asyncio.Queue[EmailMessage] = asyncio.Queue()
        self.url = ""

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.attempts += 1
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.put_nowait(message_from_bytes(content, policy=default))  # type: ignore[arg-type]
        return "250 OK"

    async def mail(self) -> EmailMessage:
        async with asyncio.timeout(20):
            return await self.mails.get()

    async def token(self) -> tuple[EmailMessage, str]:
        """The next mail, and the secret of its link."""
        mail = await self.mail()
        plain = mail.get_body(("plain",))
        assert plain is not None
        return mail, plain.get_content().split("#/")[1].split("/")[-1].strip()


@contextlib.asynccontextmanager
async def mail_server(port: int = 0) -> AsyncIterator[MailServer]:
    made = MailServer()
    sessions: list[SMTP] = []

    def session() -> SMTP:
        sessions.append(SMTP(made, hostname="mail.test", enable_SMTPUTF8=True, timeout=30))
        return sessions[-1]

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", port)
    made.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        for each in sessions:
            if each.transport is not None:
                each.transport.close()
        handlers = [each._handler_coroutine for each in sessions if each._handler_coroutine is not None]
        if handlers:
            await asyncio.wait(handlers, timeout=5)
        await server.wait_closed()


class Subscribed:
    """One browser at the push service."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = os.urandom(16)

    def fields(self) -> dict[str, str]:
        return {"endpoint": self.endpoint, "p256dh": encode(public_bytes(self.key)), "auth": encode(self.auth)}


class PushService:
    """Takes messages, checks who sends them, and decrypts them as the browser does."""

    def __init__(self) -> None:
        self.answers: list[int] = []  # status instead of 201, one each
        self.attempts = 0
        self.url = ""
        self.browsers: dict[str, Subscribed] = {}
        self.messages: asyncio.Queue[tuple[dict[str, Any], dict[str, str]]] = asyncio.Queue()

    def browser(self, name: str) -> Subscribed:
        self.browsers[name] = Subscribed(f"{self.url}/{name}")
        return self.browsers[name]

    async def take(self, request: web.Request) -> web.Response:
        self.attempts += 1
        if self.answers:
            return web.Response(status=self.answers.pop(0))
        browser = self.browsers[request.match_info["name"]]
        token, _, key = request.headers["Authorization"].removeprefix("vapid t=").partition(", k=")
        head, claims, signature = token.split(".")
        assert verify(key, signature, f"{head}.{claims}".encode())
        assert json.loads(decode(claims))["aud"] == self.url
        body = await request.read()
        plain = http_ece.decrypt(body, private_key=browser.key, auth_secret=browser.auth, version="aes128gcm")
        headers = {name.lower(): value for name, value in request.headers.items()} | {"key": key}
        self.messages.put_nowait((json.loads(plain), headers))
        return web.Response(status=201)

    async def message(self) -> tuple[dict[str, Any], dict[str, str]]:
        async with asyncio.timeout(20):
            return await self.messages.get()


@contextlib.asynccontextmanager
async def push_service(port: int = 0) -> AsyncIterator[PushService]:
    made = PushService()
    app = web.Application()
    app.router.add_post("/{name}", made.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()
