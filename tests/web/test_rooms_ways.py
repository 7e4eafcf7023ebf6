"""The ways between people in a room: another one when the network changes, and our relay when there is no other."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from tests.netlab.namespace import Namespace
from tests.web.browser import CHROMIUM, Chromium, Visit
from tests.web.daemon import WebDaemon
from tests.web.media import ADDRESSES
from tests.web.room import ARRIVED, Meeting, hears_and_sees, inside

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-rooms-ways"),
]

FIRST, SECOND = "10.77.0.1", "10.77.0.2"
# Which addresses the connection to somebody uses.
PAIR = """async (label) => {
  const {current} = await import('/rooms/current.js');
  const {people} = current.value.meeting.value;
  const person = people.value.find((each) => each.label.value === label);
  const all = [...(await person.peer.connection.getStats()).values()];
  const {selectedCandidatePairId} = all.find(({type}) => type === 'transport');
  const pair = all.find(({id}) => id === selectedCandidatePairId);
  return all.find(({id}) => id === pair?.localCandidateId);
}"""
REMEMBER = """async (label) => {
  const {current} = await import('/rooms/current.js');
  const {people} = current.value.meeting.value;
  window.before = people.value.find((each) => each.label.value === label).peer;
}"""
SAME = """async (label) => {
  const {current} = await import('/rooms/current.js');
  const {people} = current.value.meeting.value;
  return window.before === people.value.find((each) => each.label.value === label)?.peer;
}"""

# Wait until so much of a file that comes in is safe.
MOVED = """async ([name, bytes]) => {
  const {current} = await import('/rooms/current.js');
  const {entries} = current.value.meeting.value.shelf;
  return new Promise((done) => entries.subscribe((list) => {
    const entry = list.find((each) => each.name === name && each.moved >= bytes);
    if (entry) done(entry.moved);
  }));
}"""


# How a file that comes in stands, and what its connection has carried.
STANDS = """async (name) => {
  const {current} = await import('/rooms/current.js');
  const {shelf, people} = current.value.meeting.value;
  const {from, moved, size} = shelf.entries.value.find((each) => each.name === name);
  const carried = await Promise.all(people.value.map(async ({peer}) =>
    [...(await peer.connection.getStats()).values()].find(({type}) => type === 'transport').bytesReceived));
  return {from, moved, size, carried: Math.max(...carried)};
}"""


@pytest.fixture(scope="module")
def network() -> Iterator[Namespace]:
    """A machine with one cable, whose other end is at the same machine: what counts is its address."""
    with Namespace() as made:
        made.sysctl(ipv6__conf__all__disable_ipv6=1, ipv6__conf__default__disable_ipv6=1)  # it comes up late
        made.ip(
            "link add cable type veth peer name end",
            f"addr add {FIRST}/24 dev cable",
            "link set cable up",
            "link set end up",
            "route add default via 10.77.0.254 dev cable",
        )
        made.wait_for(FIRST)
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium(network: Namespace, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chromium]:
    script = tmp_path_factory.mktemp("inside") / "chromium"
    script.write_text(f'#!/bin/sh\nexec nsenter --net={network.path} {CHROMIUM} "$@"\n')
    script.chmod(0o755)
    options = ["--no-sandbox", *(option for option in ADDRESSES if "loopback" not in option)]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=script, args=options)
        try:
            yield Chromium(browser)
        finally:
            await browser.close()


@pytest.fixture(scope="module")
def daemon(network: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDaemon]:
    overrides = {"calls.enabled": "true", "turn.enabled": "true", "turn.allow_peers": "10.77.0.0/24,127.0.0.0/8"}
    inside_it = ["nsenter", f"--net={network.path}"]
    with ExitStack() as stack:
        folder: Path = tmp_path_factory.mktemp("ways") / "repository"
        running = WebDaemon(folder, inside=inside_it, overrides=overrides)
        stack.callback(lambda: running.process.poll() is None and running.process.kill())
        running.wait_ready()
        yield running
        assert running.stop() == 0, running.errors
        assert "Traceback" not in running.errors, running.errors


@pytest_asyncio.fixture(loop_scope="module")
async def meeting(chromium: Chromium, daemon: WebDaemon) -> AsyncIterator[Meeting]:
    made = Meeting(chromium, daemon)
    async with made.stack:
        yield made


async def test_a_room_goes_on_without_joining_anew_when_the_network_was_gone_and_is_another(
    meeting: Meeting, network: Namespace
) -> None:
    ann = await meeting.host("ann", 11, 440)
    bob = await meeting.guest("Bob", 22, 620)
    await inside(bob.page)
    await hears_and_sees(ann.page, "Bob", 22, 620)
    await ann.page.evaluate(REMEMBER, "Bob")

    network.ip("link set lo down")  # over which a machine speaks to itself: the service and the others are gone
    await ann.page.locator("figure[aria-label=Bob][data-state=interrupted]").wait_for()
    await ann.page.get_by_text("Looking for the service").wait_for()
    network.ip(
        f"addr del {FIRST}/24 dev cable",
        f"addr add {SECOND}/24 dev cable",
        "link set lo up",
        "route replace default via 10.77.0.254 dev cable",
    )
    await ann.page.locator("figure[aria-label=Bob][data-state=connected]").wait_for()
    await hears_and_sees(ann.page, "Bob", 22, 620)
    await hears_and_sees(bob.page, "ann", 11, 440)
    assert await ann.page.evaluate(SAME, "Bob")


async def test_two_people_reach_each_other_through_our_relay_alone(meeting: Meeting) -> None:
    meeting.query = "?relay"
    cora = await meeting.host("cora", 31, 520)
    dirk = await meeting.guest("Dirk", 32, 700)
    await inside(dirk.page)
    await hears_and_sees(cora.page, "Dirk", 32, 700)
    await hears_and_sees(dirk.page, "cora", 31, 520)
    assert (await cora.page.evaluate(PAIR, "Dirk"))["candidateType"] == "relay"
    await cora.page.get_by_role("img", name="Through a relay, which sees only what is encrypted.").wait_for()


async def test_files_go_on_where_they_were_when_the_network_was_gone_and_one_is_stopped(
    meeting: Meeting, network: Namespace, tmp_path: Path
) -> None:
    paths = [tmp_path / name for name in ("film.bin", "notes.txt", "unwanted.bin")]
    for path, size in zip(paths, (96 << 20, 1 << 20, 96 << 20), strict=True):
        path.write_bytes(random.Random(size).randbytes(size))
    fay = await meeting.host("fay", 11, 440)
    bob = await meeting.guest("Bob", 22, 620)
    await inside(bob.page)
    await hears_and_sees(fay.page, "Bob", 22, 620)
    await fay.page.keyboard.press("u")
    await fay.page.get_by_label("Send files").set_input_files(paths)
    for path in paths:
        await bob.page.get_by_role("button", name=f"Receive {path.name}").click()
    await bob.page.evaluate(MOVED, ["unwanted.bin", 1])
    await bob.page.get_by_role("button", name="Stop unwanted.bin").click()
    await expect(fay.page.locator(".transfer", has_text="unwanted.bin")).to_contain_text("It was stopped.")
    moved = await bob.page.evaluate(MOVED, ["film.bin", 1 << 20])

    network.ip("link set lo down")
    await fay.page.locator("figure[aria-label=Bob][data-state=interrupted]").wait_for()
    network.ip("link set lo up", "route replace default via 10.77.0.254 dev cable")
    for path in (paths[0], paths[1]):
        found = await bob.page.evaluate(ARRIVED, path.name)
        assert found == {"size": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert moved < paths[0].stat().st_size, "it was there before the network was gone"
    await expect(fay.page.locator(".transfer[data-state=done]")).to_have_count(2)


async def test_a_file_goes_on_by_itself_when_its_sender_comes_back_with_it(meeting: Meeting, tmp_path: Path) -> None:
    film = tmp_path / "film.bin"
    film.write_bytes(random.Random(7).randbytes(48 << 20))
    gus = await meeting.host("gus", 11, 440)
    await gus.page.keyboard.press("u")

    async def sends(name: str, who: int, hertz: int) -> Visit:
        visit = await meeting.guest(name, who, hertz)
        await inside(visit.page)
        await hears_and_sees(gus.page, name, who, hertz)
        await visit.page.keyboard.press("u")
        await visit.page.get_by_label("Send files").set_input_files(film)
        return visit

    first = await sends("Bob", 22, 620)
    await gus.page.get_by_role("button", name="Receive film.bin").click()
    moved = await gus.page.evaluate(MOVED, ["film.bin", 8 << 20])
    await first.page.close()
    await gus.page.locator(".transfer[data-state=waiting]", has_text="film.bin").wait_for()

    await sends("Bob again", 23, 700)
    async with asyncio.timeout(60):
        found = await gus.page.evaluate(ARRIVED, "film.bin")  # nobody has pressed anything
    assert found == {"size": 48 << 20, "sha256": hashlib.sha256(film.read_bytes()).hexdigest()}
    stands = await gus.page.evaluate(STANDS, "film.bin")
    assert moved <= stands["from"] < 48 << 20
    assert stands["carried"] < (48 << 20) - stands["from"] + (12 << 20), (
        "what was there came again"
    )  # sound and picture
    await expect(gus.page.locator(".transfer", has_text="film.bin")).to_have_count(1)
