"""`log/*`: how much the node says, changed while it runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.daemon.rpc.caller import Rpc
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.invoke import invoke
from zwerm.daemon.rpc.registry import Context, find

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


@pytest.mark.parametrize("command", ["log/ls", "log/level"])
async def test_without_a_daemon_there_is_no_log(rpc: Rpc, command: str) -> None:
    with pytest.raises(CommandError, match="no daemon is running"):
        await rpc.call(command)
