"""Explore: any address as a picture of blocks, then block by block down to the bytes."""

from __future__ import annotations

import json
import random

import pytest
from playwright.async_api import expect

from tests.web.browser import Chromium
from tests.web.daemon import WebDaemon

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("web-explore")]


@pytest.fixture(scope="module", autouse=True)
def kept(daemon: WebDaemon) -> None:
    daemon.keep("/site/index.html", "<h1>Garden</h1>")
    daemon.keep("/site/pictures/a.txt", "a")
    daemon.keep("/film.bin", random.Random(1).randbytes(5_000_000))


async def test_all_files_are_shown_as_a_picture_and_a_block_can_be_chosen(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with chromium.visit(daemon, "explore") as visit:
        page = visit.page
        await visit.open("explore")
        await expect(page.locator(".answer")).to_contain_text("All your files: a folder of 2 things")
        await expect(page.locator(".graph .box text:first-of-type")).to_contain_text(["film.bin", "site"])
        await visit.settled()
        await visit.shot("all")
        await page.get_by_role("button", name="film.bin, file", exact=False).click()
        await expect(page.get_by_text("Start from the chosen block")).to_be_visible()
        await expect(page.locator(".links tbody tr")).to_have_count(20)
        await expect(page.locator(".anatomy")).to_contain_text("dag-pb")
        await page.get_by_role("link", name="piece 20").click()
        await expect(page.locator(".answer")).to_contain_text("is one block of")


async def test_file_of_many_pieces_is_a_swarm_walked_with_the_arrow_keys(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "explore", scheme="dark") as visit:
        page = visit.page
        await visit.open("explore/film.bin")
        await expect(page.locator(".answer")).to_have_text("“film.bin” is a file of 5 MB, in 20 pieces.")
        await expect(page.locator(".dot-block")).to_have_count(20)
        await page.locator(".graph .box").focus()
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("Enter")
        await expect(page.locator(".dot-block").nth(1)).to_have_attribute("aria-pressed", "true")
        await expect(page.locator(".anatomy")).to_contain_text("raw")
        await expect(page.locator(".bytes tr")).to_have_count(16)
        await page.get_by_role("button", name="More", exact=True).click()
        await expect(page.locator(".bytes tr")).to_have_count(144)
        await visit.shot("swarm-dark")


async def test_bytes_are_those_of_the_block(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "explore", size="phone") as visit:
        page = visit.page
        await visit.open("explore/site/index.html")
        row = page.locator(".bytes tr").first
        await expect(row).to_contain_text("3c 68 31 3e  47 61 72 64")
        await expect(row).to_contain_text("<h1>Gard")
        await visit.shot("bytes-phone")


async def test_document_shows_what_it_says_and_its_links_lead_on(chromium: Chromium, daemon: WebDaemon) -> None:
    target = daemon.keep("/target.txt", "found\n")
    document = json.dumps({"title": "Swarm", "birds": 3, "home": {"/": target}}).encode()
    cid = daemon.rpc("dag/put", files={"file": document}).json["Cid"]["/"]
    async with chromium.visit(daemon, "explore", language="nl-NL") as visit:
        page = visit.page
        await visit.open(f"explore/{cid}")
        await expect(page.locator(".answer")).to_contain_text("is een dag-cbor-document van")
        await expect(page.locator(".document")).to_contain_text('"title": "Swarm"')
        await visit.shot("document-nl")
        await page.locator(".links a").first.click()
        await expect(page.locator(".bytes")).to_contain_text("found")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("bafkreibsdc3s5r3rbfuu2cj3bvtevkoqjzldm4smayxehlfkqukq4gnbqq", "not"),
        ("bafkreibsdc3s5r3rbfuu2cj3bvtevkoqjzldm4smayxehlfkqukq4gnbq", ""),
        ("/no/such/place", "not exist"),
    ],
    ids=["content that is not here", "one letter missing", "path that is not there"],
)
async def test_what_cannot_be_looked_at_says_why_and_what_to_do(
    chromium: Chromium, daemon: WebDaemon, typed: str, said: str
) -> None:
    async with chromium.visit(daemon, "explore") as visit:
        visit.expected.append("40[04]")
        page = visit.page
        await visit.open("explore")
        await page.get_by_label("Address or path").fill(typed)
        await page.keyboard.press("Enter")
        alert = page.get_by_role("alert")
        await expect(alert.locator("b")).to_contain_text(said)
        await expect(alert.locator("p")).not_to_be_empty()
        await expect(page.locator(".answer")).to_have_text("This could not be looked at.")
        await visit.shot("failure")


async def test_block_is_pinned_and_unpinned_where_it_is_seen(chromium: Chromium, daemon: WebDaemon) -> None:
    cid = daemon.keep("/keepsake.txt", "keep me\n")
    async with chromium.visit(daemon, "explore") as visit:
        page = visit.page
        await visit.open(f"explore/ipfs/{cid}")
        await page.get_by_role("button", name="Pin", exact=True).click()
        await expect(page.get_by_role("button", name="Unpin")).to_have_attribute("aria-pressed", "true")
        assert [pin["cid"] for pin in daemon.ask("GET", "pins", kind="recursive")["pins"]] == [cid]
        await page.get_by_role("button", name="Unpin").click()
        await expect(page.get_by_role("button", name="Pin", exact=True)).to_be_visible()
        assert daemon.ask("GET", "pins", kind="recursive")["pins"] == []
