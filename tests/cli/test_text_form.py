"""Answers as text: the functions that print them, fed by a loop, let go when nobody reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from zwerm.cli.text_form import text_form
from zwerm.core.errors import NotFoundError
from zwerm.daemon.rpc.registry import find


async def documents(*given: Any, failure: Exception | None = None) -> AsyncGenerator[Any, None]:
    for document in given:
        await asyncio.sleep(0)
        yield document
    if failure is not None:
        raise failure


async def text(path: str, *given: Any, arguments: tuple[str, ...] = (), **options: str) -> str:
    async with aclosing(text_form(find(path), arguments, options, documents(*given))) as pieces:
        return b"".join([piece async for piece in pieces]).decode()


@pytest.mark.parametrize(
    ("path", "given", "options", "printed"),
    [
        ("pin/add", [{"Pins": ["a", "b"]}], {}, "pinned a recursively\npinned b recursively\n"),
        ("pin/add", [{"Progress": 5}, {"Pins": ["a"]}], {"recursive": "false"}, "5 blocks\npinned a directly\n"),
        (
            "refs",
            [{"Ref": "a", "Err": ""}, {"Ref": "", "Err": "lost"}, {"Ref": "b", "Err": ""}],
            {},
            "a\nError: lost\nb\n",
        ),
        ("add", [{"Name": "", "Bytes": 5}, {"Name": "n", "Hash": "h", "Size": "5"}], {}, "added h n\n"),
        ("add", [{"Name": "n", "Hash": "h", "Size": "5"}], {"quiet": "true"}, "h\n"),
        ("repo/gc", [{"Key": {"/": "a"}}, {"Key": {"/": "b"}}], {"q": ""}, "a\nb\n"),
        ("restore", [{"Path": "/a", "Cid": "c"}], {}, "restored /a to c\n"),
        ("config/show", [{"A": {"B": "é"}}], {}, '{\n  "A": {\n    "B": "é"\n  }\n}\n'),
        ("files/ls", [], {}, ""),
    ],
)
async def test_an_answer_is_printed_as_on_the_command_line(
    path: str, given: list[Any], options: dict[str, str], printed: str
) -> None:
    assert await text(path, *given, **options) == printed


async def test_a_setting_is_shown_when_it_is_asked_for_and_not_when_it_is_set() -> None:
    answer = {"Key": "storage.max", "Value": "9GB"}
    assert await text("config", answer, arguments=("storage.max",)) == "9GB\n"
    assert await text("config", answer, arguments=("storage.max", "9GB")) == ""


async def test_what_was_printed_comes_before_the_failure_behind_it() -> None:
    given = documents({"Ref": "x" * 70_000, "Err": ""}, failure=NotFoundError("the rest is not here"))
    async with aclosing(text_form(find("refs"), (), {}, given)) as pieces:
        assert await anext(pieces) == b"x" * 70_000 + b"\n"
        with pytest.raises(NotFoundError, match="the rest is not here"):
            await anext(pieces)


async def test_a_reader_who_goes_ends_the_printing_and_closes_the_documents() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[Any, None]:
        try:
            while True:
                await asyncio.sleep(0)
                yield {"Ref": "x" * 70_000, "Err": ""}
        finally:
            closed.set()

    async with aclosing(text_form(find("refs"), (), {}, endless())) as pieces:
        await anext(pieces)
    assert closed.is_set()


async def test_a_reader_who_goes_while_nothing_comes_is_not_waited_for() -> None:
    async def silent() -> AsyncGenerator[Any, None]:
        yield {"Ref": "x" * 70_000, "Err": ""}
        await asyncio.Event().wait()

    async with aclosing(text_form(find("refs"), (), {}, silent())) as pieces:
        await anext(pieces)
