"""Binding text to commands: Kubo's order of arguments, its defaults, its global options, its deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from tests.daemon.rpc.caller import Rpc
from zwerm.daemon.rpc.errors import UsageError
from zwerm.daemon.rpc.invoke import invoke
from zwerm.daemon.rpc.registry import Command, Context, OptionKind, RawStream, argument, file_argument, flag, option
from zwerm.multiformats.cid import CID

NO_NODE = cast("Any", None)
V0 = CID.from_text("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn")


async def echo(context: Context, **given: Any) -> dict[str, Any]:
    return given | {"cid": context.text(V0), "offline": context.offline}


ONE_OF_EACH = Command(
    "echo",
    "Echo",
    echo,
    (argument("first", "F."), argument("middle", "M.", required=False), argument("last", "L.")),
    (
        flag("recursive", "r", text="R.", default=True),
        option("count", "n", kind=OptionKind.INT, text="N."),
        option("ignore", kind=OptionKind.STRINGS, text="I."),
        flag("quiet", text="Q.", display=True),
    ),
)


async def run(arguments: list[str], **options: Any) -> dict[str, Any]:
    result: dict[str, Any] = await invoke(ONE_OF_EACH, Context(NO_NODE), arguments, options)
    return result


async def test_optional_arguments_get_what_the_required_ones_leave() -> None:
    assert (await run(["a", "b"])).keys() >= {"first", "last"}
    assert "middle" not in await run(["a", "b"])
    three = await run(["a", "b", "c"])
    assert (three["first"], three["middle"], three["last"]) == ("a", "b", "c")


async def test_too_few_and_too_many_arguments_are_refused() -> None:
    with pytest.raises(UsageError, match="argument 'last' is required"):
        await run(["a"])
    with pytest.raises(UsageError, match="'d' is one argument too many"):
        await run(["a", "b", "c", "d"])


async def test_defaults_are_passed_and_absent_options_are_not() -> None:
    given = await run(["a", "b"])
    assert given["recursive"] is True
    assert "count" not in given


async def test_options_come_as_text_by_any_name_or_as_values() -> None:
    given = await run(["a", "b"], r="false", n="7", ignore="*.tmp")
    assert (given["recursive"], given["count"], given["ignore"]) == (False, 7, ["*.tmp"])
    assert (await run(["a", "b"], ignore=["x", "y"]))["ignore"] == ["x", "y"]
    assert (await run(["a", "b"], count=8))["count"] == 8


async def test_an_option_given_twice_is_refused_unless_it_is_a_list() -> None:
    with pytest.raises(UsageError, match="--count was given 2 times"):
        await run(["a", "b"], count=["1", "2"])


async def test_unknown_and_display_options_are_left_out() -> None:
    given = await run(["a", "b"], nothing="x", quiet="true")
    assert "nothing" not in given
    assert "quiet" not in given


async def test_global_options_reach_the_context() -> None:
    given = await run(["a", "b"], **{"upgrade-cidv0-in-output": "true", "cid-base": "base36", "offline": ""})
    assert given["cid"] == V0.to_v1().encode("base36")
    assert given["offline"] is True
    assert (await run(["a", "b"], **{"cid-base": "base36"}))["cid"] == str(V0)
    with pytest.raises(UsageError, match="--cid-base is 'base1'"):
        await run(["a", "b"], **{"cid-base": "base1"})


async def test_a_required_upload_that_is_missing_is_refused() -> None:
    command = Command("put", "Put", echo, (file_argument("data", "D."),))
    with pytest.raises(UsageError, match="file argument 'data' is required"):
        await invoke(command, Context(NO_NODE))


async def endless(_context: Context) -> AsyncIterator[int]:
    yield 1
    await asyncio.Event().wait()


async def test_the_deadline_counts_until_the_last_item() -> None:
    items = await invoke(Command("endless", "E", endless), Context(NO_NODE), (), {"timeout": "50ms"})
    assert await anext(items) == 1
    with pytest.raises(TimeoutError):
        await anext(items)


async def raw(_context: Context) -> RawStream:
    async def chunks() -> Any:
        yield b"x"
        await asyncio.Event().wait()

    return RawStream(chunks())


async def test_the_deadline_counts_for_bytes_too() -> None:
    stream = await invoke(Command("raw", "R", raw), Context(NO_NODE), (), {"timeout": "50ms"})
    assert await anext(stream.chunks) == b"x"
    with pytest.raises(TimeoutError):
        await anext(stream.chunks)


async def test_answers_are_json_or_the_request_is_refused(rpc: Rpc) -> None:
    """go-ipfs-cmds answers an encoding that a command does not have with status 400."""
    assert (await rpc.call("version", encoding="json"))["Version"]
    for encoding in ("xml", "yaml", ""):
        with pytest.raises(UsageError, match=f"^invalid encoding: {encoding}"):
            await rpc.call("version", encoding=encoding)
    with pytest.raises(UsageError, match=r"^invalid encoding: xml"):
        await rpc.call("version", enc="xml")
