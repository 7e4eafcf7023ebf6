"""`zwerm load calls`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from zwerm.cli.command import Argument, CliCommand, Example, OptionKind, Parsed, option
from zwerm.cli.session import Session
from zwerm.daemon.rpc.errors import UsageError

if TYPE_CHECKING:
    from zwerm.calls.load.aio import Load

USERS: Final = 10_000
RATE: Final = 500
SECONDS: Final = 10
DESCRIPTORS: Final = 256  # beside those of the users
BUSIEST: Final = 0.2  # rings a second that one user may begin; the service refuses more


def _run(session: Session, parsed: Parsed) -> int:
    given = parsed.options
    users, rate, seconds = given.get("users", USERS), given.get("rate", RATE), given.get("seconds", SECONDS)
    urls = list(parsed.arguments)
    for url in urls:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise UsageError(f"the service is {url[:80]!r}, expected a form like http://127.0.0.1:8089")
    if users < 2 or rate < 1 or seconds < 1:
        raise UsageError("expected at least 2 users, 1 ring a second, 1 second")
    if seconds > 10 and rate > users // 2 * BUSIEST:
        raise UsageError(f"{users} users may ring {users // 2 * BUSIEST:g} times a second for so long; take more users")
    from zwerm.daemon.turn.relay import raise_descriptor_limit

    raise_descriptor_limit(users + DESCRIPTORS)
    gc.freeze()
    gc.set_threshold(2_000, 20, 1_000_000)  # our own pauses would be measured as the service's
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        found = runner.run(_measure(session, urls, users, rate, seconds))
    if session.settings.json:
        session.output.line(json.dumps(found))
    else:
        _print(session, found)
    return 1 if found["lost"] or found["unanswered"] or found["never_rang"] else 0


async def _measure(session: Session, urls: list[str], users: int, rate: int, seconds: int) -> dict[str, Any]:
    import aiohttp

    from zwerm.calls.load.aio import Load

    async with contextlib.AsyncExitStack() as stack:
        if not urls:
            urls = [await stack.enter_async_context(_own_service())]
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        load = Load(urls, http)
        await load.prepare(users)
        try:
            idle = _memory(load, urls)
            with session.progress("Users come", users, unit="users") as bar:
                await load.come(_one(bar.advance))
            online = _memory(load, urls)
            spent = _processor(load, urls)
            with session.progress("Rings", rate * seconds, unit="rings") as bar:
                await load.ring(rate, float(seconds), _one(bar.advance))
            spent = _processor(load, urls) - spent
            lost = await load.lost()
        finally:
            await load.close()
        return {
            "users": users,
            "rate": rate,
            "seconds": seconds,
            "acknowledged": len(load.acknowledged),
            "refused": load.refused,
            "unanswered": load.unanswered,
            "lost": lost,
            "never_rang": load.never_rang,
            "acknowledged_ms": _percentiles(load.acknowledged),
            "ringing_ms": _percentiles(load.ringing),
            "processor_ms_each_ring": round(spent * 1000 / max(1, len(load.acknowledged)), 3),
            "memory": online,
            "memory_without_users": idle,
        }


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _one(advance: Callable[[int], None]) -> Callable[[], None]:
    return lambda: advance(1)


@contextlib.asynccontextmanager
async def _own_service() -> AsyncIterator[str]:
    """A service of its own, in a temporary folder, that ends with this command."""
    with tempfile.TemporaryDirectory(prefix="zwerm-load-") as folder:
        store = str(Path(folder) / "calls.sqlite")
        command = [sys.executable, "-m", "zwerm", "--json", "signal", "--listen", "127.0.0.1:0", "--store", store]
        process = subprocess.Popen(  # noqa: ASYNC220, S603 -- this program
            [*command, "--allow-load", "--no-push"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        with process:
            if process.stdout is None:
                raise UsageError("the service has no output")
            try:
                line = await asyncio.to_thread(process.stdout.readline)
                if not line:
                    raise UsageError("a service of its own could not start; `zwerm signal` says why")
                await asyncio.to_thread(process.stdout.readline)
                yield json.loads(line)["url"]
            finally:
                process.send_signal(signal.SIGTERM)


def _is_here(urls: list[str]) -> bool:
    return all((urlsplit(url).hostname or "") in ("127.0.0.1", "localhost", "::1") for url in urls)


def _memory(load: Load, urls: list[str]) -> int | None:
    """Resident bytes of the service; None when it is on another machine."""
    if not _is_here(urls):
        return None
    found = 0
    with contextlib.suppress(OSError):
        for process in load.processes:
            for line in Path(f"/proc/{process}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    found += int(line.split()[1]) * 1024
    return found or None


def _processor(load: Load, urls: list[str]) -> float:
    """Seconds of processor time that the service has used; 0 when it is on another machine."""
    found = 0.0
    with contextlib.suppress(OSError):
        for process in load.processes if _is_here(urls) else ():
            for task in Path(f"/proc/{process}/task").iterdir():  # what schedstat counts, in nanoseconds
                found += int((task / "schedstat").read_text().split()[0]) / 1e9
    return found


def _percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    if not ordered:
        return {}
    return {
        name: round(ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000, 1)
        for name, part in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
    }


def _print(session: Session, found: dict[str, Any]) -> None:
    line = session.output.line
    if found["memory"] is not None:
        each = (found["memory"] - found["memory_without_users"]) / found["users"] / 1e3
        line(f"{found['users']} users online: {found['memory'] / 1e6:.0f} MB, {each:.1f} kB each")
    line(
        f"{found['rate']} rings/s for {found['seconds']} s: {found['acknowledged']} acknowledged, {found['lost']} lost"
    )
    for code, count in sorted(found["refused"].items()):
        line(f"refused: {count} ({code})")
    if found["never_rang"]:
        line(f"never rang: {found['never_rang']}")
    if found["unanswered"]:
        line(f"never answered: {found['unanswered']}")
    if found["processor_ms_each_ring"]:
        line(f"processor time of the service: {found['processor_ms_each_ring']:.3f} ms each ring")
    for name, words in (("acknowledged_ms", "acknowledged after"), ("ringing_ms", "ringing after")):
        shown = ", ".join(f"{part} {value:.1f} ms" for part, value in found[name].items())
        line(f"{words}: {shown or 'never'}")


COMMANDS = (
    CliCommand(
        "load calls",
        summary="Measure a calls service: users online who ring each other",
        details="Without a URL it starts a service of its own in a temporary folder. With one, that service has to let "
        "itself be loaded: start it with `zwerm signal --allow-load`. The accounts of the test are called load.0 and "
        "on, and are removed in the end, with their calls. Rings begin on a fixed schedule, and each is timed from "
        "when it should have begun; lost are those that were acknowledged and not written "
        "down. Exit status 1 when any was lost, never rang or was never answered.",
        run=_run,
        arguments=(
            Argument(
                "url",
                "Address of the service, such as http://127.0.0.1:8089; of several processes of one service, all.",
                required=False,
                variadic=True,
            ),
        ),
        options=(
            option("users", kind=OptionKind.INT, text=f"Users online. Default: {USERS}."),
            option("rate", kind=OptionKind.INT, text=f"Rings a second. Default: {RATE}."),
            option("seconds", kind=OptionKind.INT, text=f"How long. Default: {SECONDS}."),
        ),
        examples=(
            Example("load calls", "Ten thousand users, five hundred rings a second, on a service of its own."),
            Example("load calls --users 100 --rate 10 http://127.0.0.1:8089", "A small load on one's own service."),
            Example("load calls http://127.0.0.1:8089 http://127.0.0.1:8090", "One service of two processes."),
        ),
    ),
)
