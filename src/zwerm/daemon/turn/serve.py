"""`zwerm turn`: a relay as a process of its own, without a repository."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import logging
import signal
from collections.abc import Callable

from zwerm.core.errors import LocalProtocolError, TransportError
from zwerm.daemon import logs
from zwerm.daemon.turn.check import check
from zwerm.daemon.turn.options import TurnOptions, host_and_port
from zwerm.daemon.turn.relay import TurnRelay, serve_metrics

log = logging.getLogger("zwerm.turn")


def run_turn(options: TurnOptions, write: Callable[[str], None]) -> int:
    """Relay until SIGINT or SIGTERM. What there is to know is printed by `write`, which takes a line.

    SIGHUP reads the certificate anew.

    Raises:
        ZwermError: something of the options cannot be, or cannot be had.
    """
    logs.configure("info", "json" if options.is_json else "text")
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(options, write))


async def _serve(options: TurnOptions, write: Callable[[str], None]) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    relay = TurnRelay(options)
    loop.add_signal_handler(signal.SIGHUP, _reload, relay)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(relay.close)
        await relay.start()
        write(json.dumps(relay.ice_servers()) if options.is_json else words(relay))
        if options.metrics is not None:
            metrics = await _listen_for_metrics(relay, options.metrics)
            stack.callback(metrics.close)
            host, port = metrics.sockets[0].getsockname()[:2]
            write(f"Metrics: http://{f'[{host}]' if ':' in host else host}:{port}/metrics")
        if options.is_self_tested:
            for finding in await check(relay):
                write(str(finding))
                if not finding.is_good:
                    log.warning("self-test: %s", finding.words)
        write("TURN is ready")
        await stopped.wait()
        numbers = await relay.statistics()
        log.info("stopping", extra={name.removeprefix("turn_"): value for name, value in numbers.items()})
    return 0


async def _listen_for_metrics(relay: TurnRelay, text: str) -> asyncio.Server:
    host, port = host_and_port(text, "metrics", 9_641)
    try:
        return await serve_metrics(relay, (host or "127.0.0.1", port))
    except OSError as error:
        raise TransportError(f"--metrics {text}: {error.strerror or error}") from error


def _reload(relay: TurnRelay) -> None:
    try:
        relay.reload()
    except LocalProtocolError as error:
        log.error("%s; the certificate stays as it was", error)
    else:
        log.info("certificate read anew")


def words(relay: TurnRelay) -> str:
    """Say what to do with the relay."""
    options = relay.options
    lines = ["Paste this into your program:", "", f"  {json.dumps(relay.ice_servers())}", ""]
    if options.secret:
        lines.append("The credential ends in a day; your web service makes new ones with the same secret.")
    elif relay.credential.username == "zwerm":
        lines.append("The password is new with every start; --user or --static-auth-secret keep it.")
    private = [uri.host for uri in relay.uris if _is_private(uri.host)]
    if private:
        lines.append(
            f"Only hosts near this one reach {private[0]}: say --external-ip ADDRESS when there is a NAT before it."
        )
    return "\n".join(lines)


def _is_private(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return not ipaddress.ip_address(host).is_global
    return False


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
