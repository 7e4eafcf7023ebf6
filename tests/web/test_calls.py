"""The page Calls in real browsers: people register, ring each other by name, and talk; with a real mail server."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.daemon.calls.fetchers import MailServer, mail_server
from tests.web.browser import Chromium, Visit, running_chromium
from tests.web.daemon import WebDaemon
from tests.web.firefox import Firefox, running_firefox
from tests.web.media import ADDRESSES, FIREFOX_MEDIA, HEARD, HEARD_IN_FIREFOX, SEEN, stand_in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-calls"),
]

LIMIT = 30_000  # milliseconds, of a busy machine
REGISTER = "async (name) => (await import('/calls/session.js')).register(name, '', 'en')"
SEES, HEARS, FIREFOX_HEARS = (
    script.replace("/rooms/current.js", "/calls/phone.js") for script in (SEEN, HEARD, HEARD_IN_FIREFOX)
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    async with running_chromium(*ADDRESSES, "--host-resolver-rules=MAP zwerm.test 127.0.0.1") as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def firefox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Firefox]:
    async with running_firefox(tmp_path_factory.mktemp("firefox"), FIREFOX_MEDIA) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


@asynccontextmanager
async def person(chromium: Chromium, daemon: WebDaemon, name: str, who: int, **more: Any) -> AsyncIterator[Visit]:
    """Somebody at the page Calls, with an account."""
    async with newcomer(chromium, daemon, name, who, **more) as visit:
        await visit.open("calls")
        await visit.page.evaluate(REGISTER, name)
        await expect(visit.page.get_by_label("Whom do you want to ring?")).to_be_visible()
        yield visit


@asynccontextmanager
async def newcomer(chromium: Chromium, daemon: WebDaemon, name: str, who: int, **more: Any) -> AsyncIterator[Visit]:
    async with chromium.visit(daemon, f"calls-{name}", **more) as visit:
        visit.page.set_default_timeout(LIMIT)
        await visit.page.context.add_init_script(stand_in(who, 300 * who))
        yield visit


async def ring(page: Page, name: str) -> None:
    await page.get_by_label("Whom do you want to ring?").fill(name)
    await page.get_by_role("button", name="Ring with picture").click()


def rings(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=f"{name} rings")


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def says(page: Page, text: str) -> None:
    await expect(page.get_by_text(text).first).to_be_visible(timeout=LIMIT)


async def talk(page: Page, name: str, who: int) -> None:
    """Both media of the other one arrive, from the device that signed them."""
    await expect(page.locator("[data-verified=verified]")).to_be_visible(timeout=LIMIT)
    await page.evaluate(SEES, [name, who])
    await page.evaluate(HEARS, [name, 300 * who])


async def test_two_people_choose_names_ring_each_other_and_talk(chromium: Chromium, daemon: WebDaemon) -> None:
    async with AsyncExitStack() as stack:
        ann = await stack.enter_async_context(newcomer(chromium, daemon, "ann", 1))
        bob = await stack.enter_async_context(
            newcomer(chromium, daemon, "bob", 2, size="phone", scheme="dark", motion="reduce")
        )
        for visit, name in ((ann, "Ann"), (bob, "bob")):
            await visit.open("calls")
            await visit.page.get_by_label("Name").fill(name)  # as people write it; names are small letters
            await visit.shot("welcome")
            assert await visit.axe() == []
            await press(visit.page, "Start")
            await says(visit.page, f"You are {name.lower()}.")
        page, other = ann.page, bob.page
        await page.get_by_label("Name of a contact").fill("bob")
        await press(page, "Add")
        await says(page, "Can be reached")
        await bob.open("files")
        await ring(page, "bob")
        await says(page, "It rings at bob")
        await ann.shot("ringing")
        await expect(rings(other, "ann")).to_be_visible()
        await says(other, "Your first call with ann in this browser")
        assert await other.title() == "ann rings"
        await bob.shot("incoming")
        assert await bob.axe() == []
        assert await bob.overflow() <= 0
        await press(other, "Answer with picture")
        await talk(page, "bob", 2)
        await talk(other, "ann", 1)
        await ann.shot("talking")
        await bob.shot("talking")
        for visit in (ann, bob):
            assert await visit.axe() == []
        await page.locator("[data-verified]").click()
        await other.locator("[data-verified]").click()
        shown = [each.get_by_label("Digits to compare") for each in (page, other)]
        for each in shown:
            await expect(each).to_have_text(re.compile(r"^\d{4} \d{4} \d{4}$"))
        assert await shown[0].inner_text() == await shown[1].inner_text()
        await ann.shot("identity")
        for each in (page, other):
            await each.keyboard.press("Escape")
        await ann.open("files")
        await expect(page.get_by_role("region", name="Call with bob")).to_be_visible()
        await ann.shot("elsewhere")
        await press(page, "Hang up")
        await says(other, "The call is over.")
        await ann.open("calls")
        await expect(page.get_by_role("button", name="Ring bob with picture")).to_have_count(2)
        await ann.shot("calls")
        await ring(page, "bob")
        await says(other, "The same device as before")
        await press(other, "Decline")
        await says(page, "bob cannot talk now.")


async def test_how_calls_end_is_said_on_both_sides_and_kept(chromium: Chromium, daemon: WebDaemon) -> None:
    async with AsyncExitStack() as stack:
        cas = (await stack.enter_async_context(person(chromium, daemon, "cas", 3))).page
        dirk_visit = await stack.enter_async_context(person(chromium, daemon, "dirk", 4))
        dirk = dirk_visit.page
        await ring(cas, "nobody")
        await says(cas, "Nobody here is called nobody.")
        await press(cas, "Close")
        await ring(cas, "dirk")
        await expect(rings(dirk, "cas")).to_be_visible()
        await press(cas, "Cancel")
        await says(dirk, "Missed call from cas")
        await says(dirk, "You missed 1 call.")
        await dirk_visit.shot("missed")
        tab = await dirk.context.new_page()
        await tab.goto(f"{daemon.url}/#/files")
        await ring(cas, "dirk")
        await expect(rings(tab, "cas")).to_be_visible()
        await expect(rings(dirk, "cas")).to_be_visible()
        await press(tab, "Answer with sound")
        await says(dirk, "Answered on another device: cas")
        await expect(rings(dirk, "cas")).to_have_count(0)
        await expect(cas.locator("[data-verified=verified]")).to_be_visible()
        eva = (await stack.enter_async_context(person(chromium, daemon, "eva", 5))).page
        await ring(eva, "dirk")
        await expect(rings(dirk, "eva")).to_be_visible()
        await press(tab, "I am in a call")
        await says(eva, "dirk is in another call.")
        await expect(rings(dirk, "eva")).to_have_count(0)
        await press(eva, "Close")
        await press(tab, "Leave")
        await says(cas, "The call is over.")
        await tab.close()
        await dirk.get_by_role("link", name="Account and devices").click()
        await dirk.get_by_role("switch", name="Do not disturb").check()
        await press_link(dirk, "Back to calls")
        await says(dirk, "Nobody disturbs you.")
        await ring(eva, "dirk")
        await says(eva, "dirk cannot be reached now.")


async def press_link(page: Page, name: str) -> None:
    await page.get_by_role("link", name=name).click()


async def test_two_who_ring_each_other_at_once_are_in_one_call(chromium: Chromium, daemon: WebDaemon) -> None:
    async with AsyncExitStack() as stack:
        fay = (await stack.enter_async_context(person(chromium, daemon, "fay", 6))).page
        gus = (await stack.enter_async_context(person(chromium, daemon, "gus", 7))).page
        await ring(fay, "gus")
        await expect(rings(gus, "fay")).to_be_visible()
        await gus.get_by_label("Whom do you want to ring?").fill("fay")  # without a look at who rings
        await gus.keyboard.press("Enter")
        await talk(fay, "gus", 7)
        await talk(gus, "fay", 6)
        await expect(rings(gus, "fay")).to_have_count(0)


async def test_an_account_is_exported_and_deleted_and_a_second_device_belongs_to_it(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with AsyncExitStack() as stack:
        hans = await stack.enter_async_context(person(chromium, daemon, "hans", 8))
        page = hans.page
        await press_link(page, "Account and devices")
        await press(page, "Add a device")
        url = await page.get_by_role("dialog").locator("input").input_value()
        assert "/#/calls/link/" in url
        await hans.shot("code")
        await press(page, "Close")
        async with newcomer(chromium, daemon, "hans-phone", 8, size="phone", language="nl-NL") as second:
            await second.page.goto(url)
            await second.settled()
            assert "/link/" not in second.page.url
            await second.shot("link")
            await press(second.page, "Meld je hier aan")
            await says(second.page, "Je bent hans.")
            await second.shot("calls-nl")
            assert await second.axe() == []
            assert await second.overflow() <= 0
            await second.open("calls/account")
            await second.shot("account-nl")
            assert await second.overflow() <= 0
        await expect(page.get_by_role("button", name="Remove Chrome")).to_have_count(1)
        await hans.shot("account")
        assert await hans.axe() == []
        async with page.expect_download() as waiting:
            await press(page, "Save a copy")
        download = await waiting.value
        assert download.suggested_filename == "zwerm-calls-hans.json"
        await press(page, "Delete the account")
        await page.get_by_label("Type hans to be certain").fill("hans")
        await press(page, "Delete for good")
        await says(page, "Choose your name")
        await page.get_by_label("Name").fill("hans")
        await press(page, "Start")
        await says(page, "That name is taken.")


async def test_whoever_is_away_is_fetched_by_a_mail_whose_link_joins(
    chromium: Chromium, mails: MailServer, tmp_path: Any
) -> None:
    overrides = {"calls.smtp": mails.url}
    daemon = WebDaemon(tmp_path / "repository", overrides=overrides)
    daemon.wait_ready()
    try:
        async with AsyncExitStack() as stack:
            ines = (await stack.enter_async_context(newcomer(chromium, daemon, "ines", 9))).page
            for name in ("jan", "ines"):
                await ines.goto(f"{daemon.url}/#/calls")
                await ines.get_by_label("Name").fill(name)
                await ines.get_by_label("E-mail").fill(f"{name}@example.org")
                await press(ines, "Start")
                await says(ines, "Look into your mail")
                mail, token = await mails.token()
                assert mail["To"] == f"{name}@example.org"
                await ines.goto(f"{daemon.url}/#/calls/link/{token}")
                await press(ines, "Sign in here")
                await says(ines, f"You are {name}.")
                if name == "jan":
                    await press_link(ines, "Account and devices")
                    await press(ines, "Sign out here")
                    await says(ines, "Choose your name")
                    await ines.reload()
            await ring(ines, "jan")
            mail, token = await mails.token()
            assert mail["To"] == "jan@example.org"
            await says(ines, "A mail has been sent.")
            jan = (await stack.enter_async_context(newcomer(chromium, daemon, "jan", 10))).page
            await jan.goto(f"{daemon.url}/#/calls/link/{token}")
            await press(jan, "Sign in here")
            await expect(rings(jan, "ines")).to_be_visible()
            await press(jan, "Answer with picture")
            await talk(ines, "jan", 10)
            await talk(jan, "ines", 9)
    finally:
        assert daemon.stop() == 0, daemon.errors
    assert "Traceback" not in daemon.errors, daemon.errors


async def test_a_firefox_is_rung_and_answers(chromium: Chromium, firefox: Firefox, daemon: WebDaemon) -> None:
    async with person(chromium, daemon, "kim", 11) as visit:
        script = f"() => {{ {stand_in(3, 900, hums=True)} }}"
        await firefox.command("script.addPreloadScript", functionDeclaration=script)
        await firefox.open(f"{daemon.url}/#/calls")
        await firefox.text("Choose your name")
        await firefox.click("input[name=name]")
        await firefox.press(*"fox")
        await firefox.click("main button", "Start")
        await firefox.text("You are fox.")
        await ring(visit.page, "fox")
        await firefox.click(".incoming button", "Answer with picture")
        await talk(visit.page, "fox", 3)
        await firefox.until("document.querySelector('[data-verified=verified]')")
        await firefox.run(f"({SEES})(['kim', 11])")
        await firefox.run(f"({FIREFOX_HEARS})(['kim', 3300])")
        await firefox.shot("calls")
        await press(visit.page, "Leave")
        await firefox.text("The call is over.")
        await firefox.open("about:blank")  # it would say of each break of the next tests that it is one


async def test_a_node_without_calls_says_how_to_switch_them_on(chromium: Chromium, daemon: WebDaemon) -> None:
    daemon.ask("PUT", "settings", {"calls.enabled": False})
    async with chromium.visit(daemon, "calls-off") as visit:
        visit.expected.append("404")
        await visit.open("calls")
        await says(visit.page, "Calls are switched off on this node.")
        await visit.shot("off")
        await press(visit.page, "Switch calls on")
        await says(visit.page, "Choose your name")


async def test_another_key_than_before_is_noticed_and_another_device_is_told_from_it(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    script = """async () => {
      const { digits, judge, remember } = await import("/calls/known-keys.js");
      const party = (device, key) => ({ name: "lea", device, key, label: "Telephone" });
      const found = [await judge(party("d_1.a", "K1"))];
      await remember(party("d_1.a", "K1"));
      for (const [device, key] of [["d_1.b", "K1"], ["d_2.a", "K2"], ["d_1.a", "K2"], ["d_3.a", "K1"]])
        found.push(await judge(party(device, key)));
      return [found, await digits("K1", "K2"), await digits("K2", "K1"), await digits("K1", "K3")];
    }"""
    async with chromium.visit(daemon, "calls-keys") as visit:
        await visit.open("home")
        verdicts, ours, theirs, others = await visit.page.evaluate(script)
    assert verdicts == ["first", "known", "other", "changed", "known"]
    assert ours == theirs != others


async def test_a_page_that_is_not_secure_says_what_to_do(chromium: Chromium, daemon: WebDaemon) -> None:
    daemon.ask("PUT", "settings", {"api.hosts": ["zwerm.test"]})
    async with chromium.visit(daemon, "calls-insecure", size="phone", scheme="dark") as visit:
        visit.expected += ["Cross-Origin-Opener-Policy", "401"]  # heeded on secure pages only; no owner is there
        await visit.page.goto(f"http://zwerm.test:{daemon.port}/#/calls")
        await says(visit.page, "Browsers give keys, camera and microphone to pages over HTTPS")
        await visit.shot("insecure")
        assert await visit.axe() == []
        assert await visit.overflow() <= 0
