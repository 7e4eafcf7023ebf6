"""Storage: how much room it all takes, freeing it, checking it, and what is pinned."""

from __future__ import annotations

import hashlib
import random
import re

import pytest
from playwright.async_api import expect

from tests.web.browser import Chromium
from tests.web.daemon import WebDaemon

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("web-storage")]


@pytest.fixture(scope="module", autouse=True)
def kept(daemon: WebDaemon) -> None:
    chance = random.Random(2)
    daemon.keep("/film.bin", chance.randbytes(3_000_000))
    daemon.keep("/draft.bin", chance.randbytes(1_000_000))
    daemon.keep("/draft.bin", chance.randbytes(1_000_000))
    daemon.rpc("add", files={"unpinned": chance.randbytes(2_000_000)}, pin=False)


def many_blocks(count: int) -> bytes:
    """A CAR of so many blocks of a few bytes: checking them takes seconds, bringing them in does not."""
    out = [bytes.fromhex("11a265726f6f7473806776657273696f6e01")]
    for number in range(count):
        data = b"%012d" % number
        out.append(bytes((36 + len(data), 1, 0x55, 0x12, 0x20)) + hashlib.sha256(data).digest() + data)
    return b"".join(out)


async def test_space_is_told_by_what_takes_it_and_what_nothing_needs_is_freed(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with chromium.visit(daemon, "storage") as visit:
        page = visit.page
        await visit.open("storage")
        await expect(page.locator(".answer")).to_have_text(re.compile(r"2\sMB can be freed\.$"))
        kinds = page.locator(".legend li")
        await expect(kinds).to_have_count(5)
        await expect(kinds.nth(0)).to_contain_text("4 MB")
        await expect(kinds.nth(2)).to_contain_text("1 MB")
        await visit.shot("measured")
        before = daemon.ask("GET", "repo")["disk"]
        freeing = page.get_by_role("region", name="Free space")
        await expect(freeing).to_contain_text("Removed blocks cannot be brought back.")
        await freeing.get_by_role("button", name="Free space").click()
        await expect(freeing.get_by_role("status")).to_contain_text("Freed 2 MB in ")
        await visit.shot("freed")
        assert daemon.ask("GET", "repo")["disk"] < before - 1_500_000
    assert daemon.ask("GET", "history/verify")["valid"]


async def test_every_block_is_checked_and_the_outcome_said(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "storage", scheme="dark", language="nl-NL") as visit:
        page = visit.page
        await visit.open("storage")
        check = page.get_by_role("region", name="Alles controleren")
        await check.get_by_role("button", name="Controleren").click()
        await expect(check.get_by_role("status")).to_contain_text("alles in orde")
        await visit.shot("checked-dark-nl")


async def test_content_is_pinned_by_address_found_by_name_and_unpinned_with_a_way_back(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    cid = daemon.rpc("add", files={"wise": b"Measure twice.\n"}, pin=False, cid_version=1).lines[-1]["Hash"]
    async with chromium.visit(daemon, "storage") as visit:
        visit.expected.append("40[04]")
        page = visit.page
        await visit.open("storage")
        await expect(page.get_by_text("Nothing pinned")).to_be_visible()
        await page.get_by_role("button", name="Pin", exact=True).first.click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Address (CID)").fill("bafy is no address")
        await dialog.get_by_role("button", name="Pin").click()
        await expect(dialog.get_by_role("alert")).to_be_visible()
        await visit.shot("pin-wrong")
        await dialog.get_by_label("Address (CID)").fill(f"/ipfs/{cid}")
        await dialog.get_by_label("Call it (not needed)").fill("wisdom")
        await dialog.get_by_role("button", name="Pin").click()
        await expect(page.get_by_role("link", name="wisdom")).to_be_visible()
        await visit.shot("pins")
        await page.get_by_label("Search pins").fill("nothing like it")
        await expect(page.get_by_role("link", name="wisdom")).to_have_count(0)
        await page.get_by_label("Search pins").fill("WIS")
        await page.get_by_role("button", name="Unpin wisdom").click()
        await expect(page.get_by_role("link", name="wisdom")).to_have_count(0)
        await page.get_by_role("button", name="Undo", exact=True).click()
        await expect(page.get_by_role("link", name="wisdom")).to_be_visible()
    assert [pin["name"] for pin in daemon.ask("GET", "pins", kind="recursive")["pins"]] == ["wisdom"]


async def test_long_task_shows_how_far_it_is_and_stops_when_told(chromium: Chromium, daemon: WebDaemon) -> None:
    answer = daemon.rpc("dag/import", files={"many.car": many_blocks(100_000)}, pin_roots=False)
    assert answer.status == 200, answer.body
    async with chromium.visit(daemon, "storage", size="phone") as visit:
        page = visit.page
        await visit.open("storage")
        check = page.get_by_role("region", name="Check everything")
        await check.get_by_role("button", name="Check").click()
        await expect(check.get_by_role("progressbar")).to_be_visible()
        await expect(check).to_contain_text("blocks")
        await check.get_by_role("button", name="Stop").click()
        await expect(check.get_by_role("status")).to_contain_text("Stopped. What was done stays done.")
        await visit.shot("stopped-phone")


async def test_way_to_the_limit_leads_to_its_setting(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "storage") as visit:
        await visit.open("storage")
        await visit.page.get_by_role("link", name="Set a limit").click()
        await expect(visit.page.get_by_label("Most space on the disk")).to_be_focused()
