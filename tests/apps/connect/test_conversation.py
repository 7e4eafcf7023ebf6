"""Two conversations over real sockets: words, leaving, and links that break."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.apps.connect.pair import paste, people
from zwerm.apps.connect.chat import MAX_TEXT, Hello, Text, Writing
from zwerm.apps.connect.conversation import CodeMade, Left, Said, StateChanged
from zwerm.apps.connect.link import LinkState
from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.paste.text import PasteError

pytestmark = pytest.mark.asyncio


async def test_words_pass_both_ways_and_goodbye_is_heard(tmp_path: Path) -> None:
    async with people(tmp_path) as (left, right):
        await paste(left, right)
        assert isinstance((await left.told(Said)).saying, Hello)
        left.talk.say(Text("hallo"))
        left.talk.say(Writing(is_writing=True))
        await right.told(Said, lambda news: news.saying == Text("hallo"))
        await right.told(Said, lambda news: news.saying == Writing(is_writing=True))
        right.talk.say(Text("dag"))
        await left.told(Said, lambda news: news.saying == Text("dag"))
        await left.talk.close()
        await right.told(Left)
        assert right.talk.has_left


async def test_a_link_that_goes_without_a_word_brings_the_next_code(tmp_path: Path) -> None:
    async with people(tmp_path) as (left, right):
        await paste(left, right)
        await left.talk.begin()  # what the other side sees of a program that was killed and started again
        await right.told(StateChanged, lambda news: news.state is LinkState.LOST)
        code = (await right.told(CodeMade)).code
        await left.talk.connect(code)
        await right.talk.connect((await left.told(CodeMade)).code)
        await left.is_connected()
        await right.is_connected()
        left.talk.say(Text("again"))
        await right.told(Said, lambda news: news.saying == Text("again"))


async def test_a_wrong_code_changes_nothing(tmp_path: Path) -> None:
    async with people(tmp_path) as (left, right):
        await left.talk.begin()
        await right.talk.begin()
        codes = [(await one.told(CodeMade)).code for one in (left, right)]
        for wrong in (codes[0], "hello", codes[1][:50]):
            with pytest.raises(PasteError):
                await left.talk.connect(wrong)
        await left.talk.connect(codes[1])
        await right.talk.connect(codes[0])
        await left.is_connected()
        with pytest.raises(LocalProtocolError):
            await left.talk.connect(codes[1])


async def test_what_cannot_be_said_is_refused(tmp_path: Path) -> None:
    async with people(tmp_path) as (left, right):
        with pytest.raises(LocalProtocolError, match="not sent"):
            left.talk.say(Text("hallo"))
        with pytest.raises(LocalProtocolError):
            await left.talk.connect("zwerm1")
        await paste(left, right)
        with pytest.raises(LocalProtocolError, match="expected at most"):
            left.talk.say(Text("x" * (MAX_TEXT + 1)))
