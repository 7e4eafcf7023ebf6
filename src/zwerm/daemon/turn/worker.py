"""One worker process of a relay, started by `workers.py`: `python -m zwerm.daemon.turn.worker`.

Standard input is a connection to who started it. First comes the task, then one line for each thing to do; its end is
the end of the worker.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import mmap
import os
import signal
import socket
from typing import Any

from zwerm.core.errors import ZwermError
from zwerm.daemon.turn.numbers import numbers_of
from zwerm.daemon.turn.options import TurnOptions, load_certificate, make_config, make_users, service_config
from zwerm.daemon.turn.relay import raise_descriptor_limit
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.server.aio import Crew, Inherited, TurnService
from zwerm.webrtc.turn.server.shared import SharedCounts


def main() -> None:
    """Run until the connection ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # signals are meant for who started this
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        import uvloop
    except ImportError:
        asyncio.run(_work())
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_work())


async def _work() -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=os.dup(0)))
    line = await reader.readline()
    if not line:
        return
    task = json.loads(line)
    raise_descriptor_limit(task["options"]["max_allocations"] + 256)
    with mmap.mmap(task["memory"], 0) as memory:
        view = memoryview(memory)
        options, service, shared = _service(task, view)
        try:
            await service.start()
            _say(writer, {"ready": True})
            while line := await reader.readline():
                _say(writer, _do(json.loads(line)["do"], options, service))
        except ZwermError as error:
            _say(writer, {"error": str(error)})
        finally:
            await service.close()
            shared.close()
            view.release()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _service(task: dict[str, Any], memory: memoryview) -> tuple[TurnOptions, TurnService, SharedCounts]:
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in task["options"].items()
    }
    options = TurnOptions(**given)
    config = make_config(options, task["external"], task["worker"])
    inherited = [Inherited(Transport(transport), socket.socket(fileno=fd)) for transport, fd in task["sockets"]]
    outboxes = {int(number): socket.socket(fileno=fd) for number, fd in task["outboxes"].items()}
    key = bytes.fromhex(task["nonce_key"])
    shared = SharedCounts(memory, task["worker"], options.workers, key)
    crew = Crew(shared, socket.socket(fileno=task["inbox"]), outboxes, config.siblings)
    users, _ = make_users(options)
    streams = service_config(options, config)
    service = TurnService(
        config, users, streams, nonce_key=key, inherited=inherited, crew=crew, started=task["started"]
    )
    return options, service, shared


def _do(what: str, options: TurnOptions, service: TurnService) -> dict[str, Any]:
    if what == "statistics":
        return numbers_of(service.statistics())
    if what == "reload" and service.limits.tls is not None:
        try:
            load_certificate(service.limits.tls, options)
        except ZwermError as error:
            return {"error": str(error)}
    return {"done": what}


def _say(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main()
