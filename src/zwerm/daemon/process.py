"""The process behind `zwerm up`: opens the repository, binds every port, starts the listeners, and ends well.

Start: repository (lock, configuration), then all ports together, then services, then HTTP; the line `Daemon is ready`
comes when all of it answers. Stop, at SIGTERM or SIGINT: health turns false, new requests get 503, those in progress
get `http.grace`, then everything is closed, all in under five seconds. A second signal ends the process at once; what
was acknowledged is on the disk either way.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TextIO

from zwerm.core.errors import DiskFull, ZwermError
from zwerm.core.heap import keep_freed
from zwerm.daemon import logs
from zwerm.daemon.http.rpc import TextForm
from zwerm.daemon.listeners import Listeners
from zwerm.node.atomic import write_atomically
from zwerm.node.node import Node
from zwerm.node.repository import Repository

log = logging.getLogger("zwerm.daemon")

BOUND: Final = 4.5  # seconds from the signal to the end of the process, whatever happens

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def up(
    path: Path | str | None = None,
    *,
    profile: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    port_offset: int = 0,
    online: bool = True,
    out: TextIO | None = None,
    text: TextForm | None = None,
) -> int:
    """Run a node in the foreground until a signal ends it; return the exit status.

    Args:
        path: the repository; None: `$ZWERM_PATH` or `~/.zwerm`.
        profile: see `Node`.
        overrides: configuration for this run, by dotted key.
        port_offset: added to every fixed port.
        online: whether it joins others, gives and takes; if not, it keeps and shows what it has.
        out: where addresses and the ready line go; standard output by default.
        text: how the RPC's answers read as text.
    """
    keep_freed()
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_serve(path, profile, overrides, port_offset, online, out or sys.stdout, text))
    except ZwermError as error:
        sys.stderr.write(f"zwerm: {error}\n")
        return 1


async def _serve(
    path: Path | str | None,
    profile: str | None,
    overrides: Mapping[str, Any] | None,
    port_offset: int,
    online: bool,
    out: TextIO,
    text: TextForm | None,
) -> int:
    stopping = asyncio.Event()
    _catch_signals(stopping)
    repository = Repository.open(
        path, profile=profile, overrides=overrides, port_offset=port_offset, purpose="zwerm up"
    )
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(repository.close)
        config = repository.config
        logs.configure(config.text("log.level"), config.text("log.format"))
        threads = ThreadPoolExecutor(config.integer("performance.threads"), "zwerm-worker")
        asyncio.get_running_loop().set_default_executor(threads)
        listeners = Listeners(config, repository.path, text)
        stack.callback(listeners.close_sockets)
        listeners.bind()
        node = Node.on(repository, online=online)
        await stack.enter_async_context(node)
        await listeners.start(node, stopping)
        stack.push_async_callback(listeners.stop)
        _publish(repository, listeners)
        stack.callback(_unpublish, repository)
        _announce(node, listeners, out)
        _notify("READY=1")
        gc.freeze()  # what is loaded stays: looking through it for garbage took 50 ms, in the midst of a transfer
        await stopping.wait()
        log.info("stopping")
        _notify("STOPPING=1")
        _end_by(BOUND)
    log.info("stopped")
    return 0


def _catch_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def caught(number: signal.Signals) -> None:
        if stopping.is_set():
            sys.stderr.write(f"zwerm: {number.name} again, ending at once\n")
            sys.stderr.flush()
            os._exit(128 + number)
        stopping.set()

    for number in _SIGNALS:
        loop.add_signal_handler(number, caught, number)


def _end_by(seconds: float) -> None:
    """End the process after so long, even when a thread or the disk does not answer."""

    def end() -> None:
        sys.stderr.write(f"zwerm: something did not stop within {seconds} seconds, ending without it\n")
        sys.stderr.flush()
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def _publish(repository: Repository, listeners: Listeners) -> None:
    """Leave the addresses in files, as Kubo does, for those who look for a running node."""
    for name, place in (("api", repository.api_path), ("gateway", repository.gateway_path)):
        address = listeners.address(name)
        if address is None:
            place.unlink(missing_ok=True)
        else:
            text = address.multiaddr if name == "api" else address.url
            try:
                with repository.reserve.released():
                    write_atomically(place, f"{text}\n".encode(), mode=0o600)
            except DiskFull as error:
                log.warning("%s; commands find this node with --api only", error)


def _unpublish(repository: Repository) -> None:
    for place in (repository.api_path, repository.gateway_path):
        place.unlink(missing_ok=True)


def _announce(node: Node, listeners: Listeners, out: TextIO) -> None:
    lines = [f"zwerm node {node.identity}, repository {node.repository.path}"]
    if node.network is not None:
        lines.extend(f"Swarm listening on {address}" for address in node.network.swarm.listen_addresses)
    if (api := listeners.address("api")) is not None:
        lines.append(f"RPC API server listening on {api.multiaddr}")
    if (gateway := listeners.address("gateway")) is not None:
        lines.append(f"Gateway server listening on {gateway.multiaddr}")
    if (web := listeners.address("web")) is not None:
        lines.append(f"Web app: {listeners.web_url(web)}")
    lines.extend(_secure_lines(listeners, out))
    if listeners.relay is not None:
        lines.extend(f"Relay: {uri}" for uri in listeners.relay.uris)
    lines.append("Daemon is ready")
    with contextlib.suppress(BrokenPipeError):
        out.write("\n".join(lines) + "\n")
        out.flush()


def _secure_lines(listeners: Listeners, out: TextIO) -> list[str]:
    """Say where other machines come, and how a telephone comes to trust this one."""
    https = listeners.https
    if https.origin is None:
        return []
    lines = [f"Web app from other machines: {https.origin}/", f"  with the owner's key: {listeners.owner_url}"]
    if https.trust_url is not None and https.lan is not None:
        from zwerm.daemon.tls.trust import short

        fingerprint = https.lan.authority.fingerprint
        lines.append(f"Trust it on a telephone first: {https.trust_url}")
        if (out.encoding or "").lower().startswith("utf"):
            import io

            import segno

            picture = io.StringIO()
            segno.make(https.trust_url, error="m").terminal(picture, compact=True)
            lines.append(picture.getvalue().rstrip("\n"))
        lines.append(f"  its fingerprint begins with: {short(fingerprint)}")
        lines.append(f"  in whole: {fingerprint}")
    elif https.tls.current is None and https.way == "domain":
        lines.append("  its certificate is being fetched; the log says when it is there")
    return lines


def _notify(state: str) -> None:
    """Tell systemd (sd_notify(3)), when it asked to be told."""
    where = os.environ.get("NOTIFY_SOCKET")
    if not where:
        return
    address = "\0" + where[1:] if where.startswith("@") else where
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as end:
        end.sendto(state.encode(), address)


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
