"""`log/*`: how much the node says, changed while it runs."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

import pytest

from tests.daemon.rpc.caller import Rpc
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.invoke import invoke
from zwerm.daemon.rpc.registry import Context, RawStream, find

PARTS = ("zwerm", "zwerm.one", "zwerm.other")


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """Two parts of a node that logs from `info` on; all is as it was in the end."""
    before = {name: logging.getLogger(name).level for name in (*PARTS, *logging.root.manager.loggerDict)}
    logging.getLogger("zwerm").setLevel(logging.INFO)
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


async def level(rpc: Rpc, *arguments: str) -> dict[str, str]:
    answer = await invoke(find("log/level"), Context(rpc.node, stop=lambda: None), arguments)
    return answer.get("Levels") or {"said": answer["Message"]}


async def test_one_part_is_changed_and_follows_the_others_again(rpc: Rpc) -> None:
    assert await level(rpc) == {"": "info"}
    assert await level(rpc, "one") == {"one": "info"}
    assert await level(rpc, "one", "debug") == {"said": "Changed log level of 'one' to 'debug'\n"}
    shown = await level(rpc, "all")
    assert (shown["(default)"], shown["one"], shown["other"]) == ("info", "debug", "info")
    assert logging.getLogger("zwerm.one").isEnabledFor(logging.DEBUG)
    await level(rpc, "one", "default")
    assert await level(rpc, "one") == {"one": "info"}


@pytest.mark.parametrize("every", ["*", "all"])
async def test_all_parts_are_changed_together(rpc: Rpc, every: str) -> None:
    await level(rpc, "one", "fatal")
    assert await level(rpc, every, "WARN") == {"said": "Changed log level of '*' to 'WARN'\n"}
    assert await level(rpc) == {"": "warn"}
    assert set((await level(rpc, "*")).values()) == {"warn"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["nobody"], "no part of the node is called 'nobody'"), (["one", "loud"], "log level 'loud', expected debug")],
)
async def test_what_is_not_known_is_refused(rpc: Rpc, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        await level(rpc, *arguments)


async def test_the_parts_are_listed(rpc: Rpc) -> None:
    answer = await invoke(find("log/ls"), Context(rpc.node, stop=lambda: None))
    assert {"one", "other"} <= set(answer["Strings"])


async def tail(rpc: Rpc, stopping: asyncio.Event) -> AsyncGenerator[bytes, None]:
    stream = await invoke(find("log/tail"), Context(rpc.node, stop=stopping.set, stopping=stopping))
    assert isinstance(stream, RawStream)
    assert await anext(stream.chunks) == b""  # it has begun
    return stream.chunks


async def test_lines_are_followed_as_they_come_until_the_reader_goes(rpc: Rpc, monkeypatch) -> None:
    monkeypatch.setattr(logging.getLogger("zwerm"), "propagate", False)  # a report cannot hold what is no UTF-8
    handlers = list(logging.getLogger("zwerm").handlers)
    async with aclosing(await tail(rpc, asyncio.Event())) as lines:
        logging.getLogger("zwerm.one").info("first", extra={"size": 5})
        await asyncio.to_thread(logging.getLogger("zwerm.other").error, "second %s", "\udcff")
        logging.getLogger("zwerm.one").debug("not at this level")
        first, second = json.loads(await anext(lines)), await anext(lines)
        assert (first["logger"], first["level"], first["message"], first["size"]) == ("zwerm.one", "info", "first", 5)
        assert b"second" in second
    assert logging.getLogger("zwerm").handlers == handlers


async def test_following_ends_when_the_node_stops(rpc: Rpc) -> None:
    stopping = asyncio.Event()
    async with aclosing(await tail(rpc, stopping)) as lines:
        stopping.set()
        assert [line async for line in lines] == []


async def test_a_slow_reader_misses_the_oldest_lines(rpc: Rpc) -> None:
    stopping = asyncio.Event()
    async with aclosing(await tail(rpc, stopping)) as lines:
        for number in range(2_000):
            logging.getLogger("zwerm.one").info("%d", number)
        seen = []
        async for line in lines:
            seen.append(int(json.loads(line)["message"]))
            if seen[-1] == 1_999:
                stopping.set()
    assert len(seen) < 1_100
    assert seen[-500:] == list(range(1_500, 2_000))


@pytest.mark.parametrize("command", ["log/ls", "log/level", "log/tail"])
async def test_without_a_daemon_there_is_no_log(rpc: Rpc, command: str) -> None:
    with pytest.raises(CommandError, match="no daemon is running"):
        await rpc.call(command)
