"""The app's client of the calls service, in real browsers: nothing is lost and nothing is done twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from tests.web.browser import Chromium, Visit
from tests.web.daemon import WebDaemon
from tests.web.firefox import Firefox, running_firefox
from tests.web.way import Way, way_to
from zwerm.calls.identity import fingerprint_statement, verify

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-calls-signaling"),
]

_BLOCKED = r"WebSocket connection to .*failed|net::ERR|EventSource|/api/calls/v1/send|/api/app/"
_OPEN = """async ([name, guestLink]) => {
  const { register, session, guestSession } = await import("/calls/session.js");
  if (guestLink) globalThis.mine = await guestSession(guestLink, name);
  else {
    await register(name, "", "en");
    globalThis.mine = session.value;
  }
  globalThis.heard = [];
  mine.on("signal", (event) => heard.push(Number(event.data)));
  await new Promise((done) => mine.state.subscribe((state) => state === "online" && done()));
  return mine.self.value;
}"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDaemon]:
    overrides = {"calls.enabled": "true"}
    running = WebDaemon(tmp_path_factory.mktemp("web") / "repository", overrides=overrides)
    running.wait_ready()
    yield running
    assert running.stop() == 0, running.errors
    assert "Traceback" not in running.errors, running.errors


class Person:
    """Somebody at a page of their own."""

    def __init__(self, visit: Visit, way: Way) -> None:
        self.visit = visit
        self.way = way
        self.endpoint = ""

    async def run(self, script: str, argument: Any = None) -> Any:
        return await self.visit.page.evaluate(script, argument)

    async def ask(self, kind: str, **fields: Any) -> Any:
        return await self.run("([kind, fields]) => mine.ask(kind, fields)", [kind, fields])

    async def until(self, condition: str) -> None:
        await self.visit.page.wait_for_function(condition)


@asynccontextmanager
async def person(
    chromium: Chromium, daemon: WebDaemon, name: str, *, link: str = "", blocks_sockets: bool = False
) -> AsyncIterator[Person]:
    async with way_to(daemon.port) as way, chromium.visit(daemon, f"signaling-{name}") as visit:
        way.blocks_sockets = blocks_sockets
        visit.expected.append(_BLOCKED)
        await visit.page.goto(f"http://localhost:{way.port}/")
        made = Person(visit, way)
        made.endpoint = (await made.run(_OPEN, [name, link]))["endpoint"]
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def firefox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Firefox]:
    async with running_firefox(tmp_path_factory.mktemp("firefox")) as browser:
        yield browser


@pytest.mark.parametrize("blocks_sockets", [False, True], ids=["web socket", "stream and posts"])
async def test_what_is_said_while_the_network_breaks_arrives_once_and_in_order(
    chromium: Chromium, daemon: WebDaemon, blocks_sockets: bool
) -> None:
    ending = "s" if blocks_sockets else "w"
    async with (
        person(chromium, daemon, f"ann-{ending}", blocks_sockets=blocks_sockets) as ann,
        person(chromium, daemon, f"bob-{ending}", blocks_sockets=blocks_sockets) as bob,
    ):
        opened = await ann.ask("room-open", title="Kitchen", waiting=False)
        await ann.ask("room-join", link=opened["link"], label="Ann")
        await bob.ask("room-join", link=opened["link"], label="Bob")
        say = "([room, to, from]) => { globalThis.said = Promise.all([...Array(10).keys()].map((n) => "
        say += "mine.ask('signal', { room, to, data: String(from + n) }))); }"
        for turn, broken in enumerate((ann, bob, ann)):
            await bob.run(say, [opened["room"], ann.endpoint, 10 * turn])
            broken.way.cut()  # whatever was on its way is gone
        ann.way.is_open = bob.way.is_open = False
        ann.way.cut()
        bob.way.cut()
        await ann.until("() => mine.state.value === 'lost'")
        await bob.until("() => mine.state.value === 'lost'")
        await bob.run(say, [opened["room"], ann.endpoint, 30])  # kept until there is a network again
        ann.way.is_open = bob.way.is_open = True
        await bob.run("() => said.then((all) => all.length)")
        await ann.until("() => heard.length >= 40")
        assert await ann.run("() => heard") == list(range(40))
        assert await ann.run("() => [mine.turn.value, mine.self.value.endpoint]") == [1, ann.endpoint]


async def test_a_guest_joins_a_room_and_media_are_signed_as_the_service_would_check_it(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with person(chromium, daemon, "cas") as cas:
        opened = await cas.ask("room-open", title="Garden", waiting=False)
        async with person(chromium, daemon, "Dirk", link=opened["link"]) as dirk:
            await dirk.ask("room-join", link=opened["link"], label="Dirk")
            refused = "() => mine.ask('ring', {to: 'cas', media: []}).catch((failure) => [failure.code, failure.name])"
            assert (await dirk.run(refused))[0] == "sign-in"
            prints = ["sha-256 AB:CD", "sha-256 01:23"]
            to = cas.endpoint
            signature, key = await dirk.run(
                "async ([to, prints]) => [await mine.signMedia('room', to, prints), mine.key]", [to, prints]
            )
            statement = fingerprint_statement("room", dirk.endpoint, to, prints)
            assert verify(key, signature, statement)
            check = (
                "async ([key, signature, by, to, prints]) => (await import('/calls/device-key.js'))"
                ".verifyMedia(key, signature, 'room', by, to, prints)"
            )
            assert await cas.run(check, [key, signature, dirk.endpoint, to, prints[::-1]]) is True
            assert await cas.run(check, [key, signature, dirk.endpoint, to, prints[:1]]) is False
            assert await cas.run(check, [key, signature[::-1], dirk.endpoint, to, prints]) is False


async def test_a_browser_keeps_its_account_and_hears_when_it_was_signed_out(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with person(chromium, daemon, "eva") as eva:
        url = eva.visit.page.url
        again = await eva.visit.page.context.new_page()
        await again.goto(url)
        restored = """async () => {
          const { restore, session } = await import("/calls/session.js");
          await restore();
          globalThis.mine = session.value;
          await new Promise((done) => mine.state.subscribe((state) => state === "online" && done()));
          return mine.self.value;
        }"""
        found = await again.evaluate(restored)
        assert found["name"] == "eva"
        assert found["endpoint"] != eva.endpoint
        device = found["endpoint"].partition(".")[0]
        assert device == eva.endpoint.partition(".")[0]
        await again.evaluate("async () => (await import('/calls/session.js')).signOut()")
        await eva.until("() => mine.state.value === 'ended'")
        gone = "async () => (await import('/calls/session.js')).session.value"
        assert await eva.run(gone) is None
        assert await eva.run("() => localStorage.getItem('zwerm.calls')") is None


async def test_firefox_keeps_the_key_of_a_device_and_goes_on_after_a_break(firefox: Firefox, daemon: WebDaemon) -> None:
    async with way_to(daemon.port) as way:
        await firefox.open(f"http://localhost:{way.port}/")
        self = await firefox.run(f"({_OPEN})(['fox', ''])")
        assert self["name"] == "fox"
        nonce = await firefox.run("mine.welcome.value.nonce")
        way.cut()
        await firefox.until(f"mine.welcome.value.nonce !== '{nonce}'")
        me = await firefox.run("mine.ask('me')")
        assert me["name"] == "fox"
        assert await firefox.run("mine.self.value.endpoint") == self["endpoint"]
        await firefox.open(f"http://localhost:{way.port}/#/home")
        await firefox.run("location.reload()")
        await firefox.until("document.readyState === 'complete' && globalThis.mine === undefined")
        await firefox.run("import('/calls/session.js').then(({restore}) => restore())")
        name = "import('/calls/session.js').then(({session}) => session.value.ask('me')).then(({name}) => name)"
        assert await firefox.run(name) == "fox"
        firefox.faults[:] = [fault for fault in firefox.faults if "connect" not in fault and "interrupted" not in fault]
        await firefox.open("about:blank")
