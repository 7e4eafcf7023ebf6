"""`zwerm signal`: the calls service as a process of its own, without a repository."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import signal
from collections.abc import Callable
from typing import Final

from zwerm.daemon import logs
from zwerm.daemon.calls import garbage
from zwerm.daemon.calls.handler import PREFIX, CallsHandler
from zwerm.daemon.calls.https import SignalHttps
from zwerm.daemon.calls.options import SignalOptions, make_service
from zwerm.daemon.calls.peerjs import PeerServer
from zwerm.daemon.http.exchange import Exchange
from zwerm.daemon.http.proxies import TrustedProxies
from zwerm.daemon.http.server import Handler, HttpServer
from zwerm.daemon.http.sockets import bind_all, bound_address
from zwerm.daemon.turn.relay import raise_descriptor_limit

log = logging.getLogger("zwerm.calls")

PORT: Final = 8_089
CONNECTIONS: Final = 20_000
DESCRIPTORS: Final = 256  # for everything that is no connection
GRACE: Final = 3.0  # seconds that connections have to end


def run_signal(options: SignalOptions, write: Callable[[str], None]) -> int:
    """Serve until SIGINT or SIGTERM. What there is to know is printed by `write`, which takes a line.

    Raises:
        ZwermError: something of the options cannot be, or cannot be had.
    """
    logs.configure("info", "json" if options.is_json else "text")
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(options, write))


async def _serve(options: SignalOptions, write: Callable[[str], None]) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    raise_descriptor_limit(CONNECTIONS + DESCRIPTORS)
    proxies, https = TrustedProxies(options.trusted_proxies, options.origin), SignalHttps(options)
    asked = https.asked(PORT)
    sockets = bind_all(asked)
    url = https.url(bound_address(sockets["signal"], asked["signal"]))
    service = make_service(dataclasses.replace(options, origin=options.origin or url))
    origins = (options.origin, *options.origins) if options.origin else options.origins
    peers = PeerServer() if options.peerjs else None
    calls = CallsHandler(service, origins, peers=peers, allow_load=options.allow_load)
    server = HttpServer(
        "signal",
        _handler(calls),
        idle=75.0,
        connections=CONNECTIONS,
        tls=https.tls.context if https.is_wanted else None,
        proxies=proxies,
    )
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(server.stop, GRACE)
        stack.push_async_callback(calls.close)
        await service.start()
        if "plain" in sockets:
            plain = HttpServer("plain", https.plain_handler(), idle=75.0)
            stack.push_async_callback(plain.stop, 0.0)
            await plain.start(sockets["plain"])
        if (renewing := https.keep()) is not None:
            stack.callback(renewing.cancel)
        garbage.prepare()
        sweeping = loop.create_task(garbage.Sweeper(service).run())
        stack.callback(sweeping.cancel)
        await server.start(sockets["signal"])
        write(json.dumps({"url": url}) if options.is_json else f"Calls: {url}{PREFIX}socket")
        write("Signal is ready")
        await stopped.wait()
        log.info("stopping", extra=dict(service.statistics()))
    return 0


def _handler(calls: CallsHandler) -> Handler:
    async def answer(exchange: Exchange) -> None:
        headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
        if calls.is_for(exchange.raw_path):
            await calls(exchange)
        elif exchange.raw_path == "/health" and exchange.method in ("GET", "HEAD"):
            await exchange.send(200, headers, b"ok\n")
        else:
            await exchange.send(404, headers, b"404 - this is the calls service of zwerm\n")

    return answer


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
