"""Files, used as a person does: with the mouse, with the keyboard alone, with folders from the desktop."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.web.browser import Chromium, Visit
from tests.web.daemon import WebDaemon
from tests.web.samples import dusk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("web-files")]


async def choose(visit: Visit, name: str, action: str) -> None:
    """Choose an action from the menu of a file."""
    await visit.page.get_by_role("button", name=f"Actions for {name}").click()
    await visit.page.get_by_role("menuitem", name=action).click()


async def names(visit: Visit) -> list[str]:
    return [text.strip() for text in await visit.page.locator(".files .title, .tiles .title").all_text_contents()]


async def test_folder_dropped_into_a_folder_comes_whole_and_opens(
    chromium: Chromium, daemon: WebDaemon, folder: Path
) -> None:
    daemon.ask("POST", "files/mkdir", {"path": "/dropped"})
    async with chromium.visit(daemon, "files") as visit:
        page = visit.page
        await visit.open("files/dropped")
        await expect(page.get_by_text("Nothing in this folder yet")).to_be_visible()
        await visit.shot("empty-folder")
        await visit.drop(folder)
        await page.get_by_role("link", name="holiday", exact=True).click()
        await expect(page.locator("h1")).to_have_text("holiday")
        await expect(page.locator(".answer")).to_have_text("3 things in this folder, 362 B.")
        assert await names(visit) == ["day one", "nothing yet", "notes.txt"]
        await page.get_by_role("link", name="dropped", exact=True).click()
        await expect(page.locator("h1")).to_have_text("dropped")


async def test_upload_shows_how_far_it_is_and_stop_leaves_the_files_as_they_were(
    chromium: Chromium, daemon: WebDaemon, tmp_path: Path
) -> None:
    (tmp_path / "large.bin").write_bytes(bytes(24_000_000))
    before = daemon.ask("GET", "node")["root"]
    async with chromium.visit(daemon, "files") as visit:
        page = visit.page
        await visit.open("files")
        network = await page.context.new_cdp_session(page)
        slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 3_000_000}
        await network.send("Network.emulateNetworkConditions", slow)
        await visit.drop(tmp_path / "large.bin")
        transfer = page.get_by_role("region", name="Being added")
        await expect(transfer.get_by_text("left", exact=False)).to_be_visible()
        await expect(transfer).to_contain_text("of 24 MB")
        await expect(transfer).to_contain_text("/s")
        await visit.shot("upload")
        await transfer.get_by_role("button", name="Stop adding large.bin").click()
        await expect(transfer).to_have_count(0)
    assert daemon.ask("GET", "node")["root"] == before


async def test_making_renaming_moving_and_deleting_can_each_be_undone(chromium: Chromium, daemon: WebDaemon) -> None:
    daemon.keep("/desk/letter.txt", "Dear council\n")
    daemon.keep("/desk/photo.png", dusk(1))
    async with chromium.visit(daemon, "files") as visit:
        page = visit.page
        await visit.open("files/desk")
        await page.get_by_role("button", name="New folder").click()
        await page.get_by_label("Name", exact=True).fill("a/b")
        await page.get_by_role("button", name="Make").click()
        await expect(page.get_by_text("A name cannot hold a slash (/).")).to_be_visible()
        await visit.shot("new-folder-wrong")
        await page.get_by_label("Name", exact=True).fill("drawer")
        await page.get_by_role("button", name="Make").click()
        await expect(page.get_by_role("link", name="drawer", exact=True)).to_be_visible()

        await choose(visit, "letter.txt", "Rename")
        field = page.get_by_label("New name")
        assert await field.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)") == "letter"
        await page.keyboard.type("to the council")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("link", name="to the council.txt")).to_be_visible()
        await page.get_by_role("button", name="Undo", exact=True).click()
        await expect(page.get_by_role("link", name="letter.txt")).to_be_visible()

        await choose(visit, "letter.txt", "Move")
        await page.get_by_role("dialog").get_by_role("button", name="drawer").click()
        await visit.shot("move")
        await page.get_by_role("button", name="Move here").click()
        await expect(page.get_by_role("link", name="letter.txt")).to_have_count(0)
        assert daemon.names("/desk/drawer") == ["letter.txt"]
        await page.keyboard.press("Control+z")
        await expect(page.get_by_role("link", name="letter.txt")).to_be_visible()

        await page.get_by_role("checkbox", name="Select letter.txt").check()
        await page.get_by_role("checkbox", name="Select photo.png").check()
        await expect(page.get_by_role("toolbar")).to_contain_text("2 selected")
        await visit.shot("selected")
        await page.get_by_role("toolbar").get_by_role("button", name="Delete").click()
        await expect(page.get_by_text("Deleted 2 things.")).to_be_visible()
        assert daemon.names("/desk") == ["drawer"]
        await page.get_by_role("button", name="Undo", exact=True).click()
        await expect(page.get_by_text("2 things are back.")).to_be_visible()
        await expect(page.get_by_role("link", name="photo.png")).to_be_visible()
    assert daemon.names("/desk") == ["drawer", "letter.txt", "photo.png"]


async def test_rows_dragged_onto_a_folder_move_there(chromium: Chromium, daemon: WebDaemon) -> None:
    daemon.keep("/dragging/one.txt", "1")
    daemon.keep("/dragging/box/two.txt", "2")
    async with chromium.visit(daemon, "files") as visit:
        page = visit.page
        await visit.open("files/dragging")
        await page.get_by_role("link", name="one.txt").drag_to(page.get_by_role("link", name="box"))
        await expect(page.get_by_text("Moved “one.txt” to “box”.")).to_be_visible()
    assert daemon.names("/dragging/box") == ["one.txt", "two.txt"]


async def test_name_that_is_taken_is_refused_with_what_to_do(chromium: Chromium, daemon: WebDaemon) -> None:
    daemon.keep("/taken/a.txt", "a")
    daemon.keep("/taken/b.txt", "b")
    async with chromium.visit(daemon, "files") as visit:
        visit.expected.append("409")
        page = visit.page
        await visit.open("files/taken")
        await choose(visit, "a.txt", "Rename")
        await page.get_by_label("New name").fill("b.txt")
        await page.get_by_role("dialog").get_by_role("button", name="Rename").click()
        await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("b.txt")
        await visit.shot("taken")
    assert daemon.names("/taken") == ["a.txt", "b.txt"]


async def test_sorting_searching_and_the_grid_find_what_is_looked_for(chromium: Chromium, daemon: WebDaemon) -> None:
    for number, name in enumerate(["heron 2.png", "heron 10.png", "Été.png", "deep/down/heron 1.png"]):
        daemon.keep(f"/birds/{name}", dusk(number, 40 + 20 * number, 60))
    async with chromium.visit(daemon, "files", scheme="dark") as visit:
        page = visit.page
        await visit.open("files/birds")
        assert await names(visit) == ["deep", "Été.png", "heron 2.png", "heron 10.png"]
        await page.get_by_role("button", name="Name").click()
        await expect(page.locator(".files .title").nth(1)).to_have_text("heron 10.png")
        await expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "descending")
        await page.get_by_role("button", name="Changed").click()
        await expect(page.locator(".files .title").nth(1)).to_have_text("Été.png")

        await page.get_by_role("searchbox").fill("HERON")
        await expect(page.locator(".files .title")).to_have_count(3)
        await expect(page.get_by_role("link", name="in /birds/deep/down/")).to_be_visible()
        await visit.shot("search-dark")
        await page.get_by_role("searchbox").fill("ete")
        await expect(page.locator(".files .title")).to_have_text(["Été.png"])
        await page.get_by_role("searchbox").fill("owl")
        await expect(page.get_by_text("Nothing is called “owl” here")).to_be_visible()
        await page.get_by_role("searchbox").press("Escape")

        await page.get_by_role("button", name="As a grid").click()
        pictures = page.locator(".tiles img")
        await expect(pictures).to_have_count(3)
        await expect(pictures.first).to_have_js_property("complete", value=True)
        assert await pictures.evaluate_all("images => images.every((image) => image.naturalWidth > 0)")
        await visit.shot("grid-dark")


async def test_share_link_opens_the_file_and_has_a_code(chromium: Chromium, daemon: WebDaemon) -> None:
    cid = daemon.keep("/to share/garden.txt", "Tomatoes, beans.\n")
    async with chromium.visit(daemon, "files") as visit:
        page = visit.page
        await visit.open("files/to share")
        await choose(visit, "garden.txt", "Share")
        await expect(page.locator(".qr path").first).to_be_visible()
        link = await page.get_by_label("The link").input_value()
        await visit.shot("share")
        await page.get_by_role("button", name="Copy", exact=True).click()
        assert await page.evaluate("navigator.clipboard.readText()") == link
        await page.get_by_role("button", name="IPFS link").click()
        await expect(page.get_by_label("The link")).to_have_value(f"ipfs://{cid}")
        other = await page.context.new_page()
        await other.goto(link)
        await expect(other.locator("body")).to_contain_text("Tomatoes, beans.")


async def test_everything_goes_by_keyboard_alone(chromium: Chromium, daemon: WebDaemon) -> None:
    for name in ("ant.txt", "bee.txt", "cat.txt"):
        daemon.keep(f"/keys/{name}", name)
    async with chromium.visit(daemon, "files") as visit:
        page, keys = visit.page, visit.page.keyboard
        await visit.open("home")
        for key in ("g", "f"):
            await keys.press(key)
        await expect(page.locator("h1")).to_have_text("Files")
        await expect(page.locator("h1")).to_be_focused()
        await keys.press("/")
        await keys.type("keys")
        await expect(page.get_by_role("link", name="keys", exact=True)).to_be_visible()
        await keys.press("Tab")
        while not await page.get_by_role("link", name="keys", exact=True).evaluate(
            "link => link === document.activeElement"
        ):
            await keys.press("Tab")
        await keys.press("Enter")
        await expect(page.get_by_role("link", name="ant.txt")).to_be_focused()
        await keys.press("ArrowDown")
        await expect(page.get_by_role("link", name="bee.txt")).to_be_focused()
        await keys.press("Space")
        await expect(page.get_by_role("toolbar")).to_contain_text("1 selected")
        await keys.press("F2")
        await expect(page.get_by_label("New name")).to_be_focused()
        await keys.type("wasp")
        await keys.press("Enter")
        await expect(page.get_by_role("link", name="wasp.txt")).to_be_visible()
        await keys.press("Escape")
        await page.get_by_role("link", name="cat.txt").focus()
        await keys.press("Delete")
        await expect(page.get_by_role("link", name="cat.txt")).to_have_count(0)
        await keys.press("Control+z")
        await expect(page.get_by_role("link", name="cat.txt")).to_be_visible()
        await keys.press("n")
        await keys.type("nest")
        await keys.press("Enter")
        await expect(page.get_by_role("link", name="nest")).to_be_visible()
        await keys.press("Backspace")
        await expect(page.locator("h1")).to_have_text("Files")


async def test_content_known_by_its_address_is_kept_under_a_name(chromium: Chromium, daemon: WebDaemon) -> None:
    cid = daemon.keep("/origin/wise.txt", "Measure twice.\n")
    async with chromium.visit(daemon, "files") as visit:
        visit.expected.append("40[04]")
        page = visit.page
        daemon.ask("POST", "files/mkdir", {"path": "/by address"})
        await visit.open("files/by address")
        await page.get_by_role("button", name="Add").click()
        await page.get_by_role("menuitem", name="Keep by address").click()
        await page.get_by_label("Address (CID)").fill(cid[:-1] + ("a" if cid[-1] != "a" else "b"))
        await page.get_by_label("Call it").fill("copy.txt")
        await page.get_by_role("button", name="Keep").click()
        await expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
        await visit.shot("keep-wrong")
        await page.get_by_label("Address (CID)").fill(f"ipfs://{cid}")
        await page.get_by_role("button", name="Keep").click()
        await expect(page.get_by_role("link", name="copy.txt")).to_be_visible()


async def test_change_made_elsewhere_appears_by_itself(chromium: Chromium, daemon: WebDaemon) -> None:
    daemon.keep("/watched/first.txt", "1")
    async with chromium.visit(daemon, "files") as visit:
        await visit.open("files/watched")
        await expect(visit.page.locator(".node-state .dot:not(.wait)")).to_be_visible()
        daemon.rpc("files/mkdir", "/watched/from a program")
        await expect(visit.page.get_by_role("link", name="from a program")).to_be_visible()


async def test_large_folder_comes_in_pages(chromium: Chromium, daemon: WebDaemon, tmp_path: Path) -> None:
    crowd = tmp_path / "crowd"
    crowd.mkdir()
    for number in range(450):
        (crowd / f"bird {number}.txt").write_text(str(number))
    async with chromium.visit(daemon, "files") as visit:
        page = visit.page
        await visit.open("files")
        await visit.drop(crowd)
        await page.get_by_role("link", name="crowd", exact=True).click()
        await expect(page.locator(".files .title")).to_have_count(200)
        await expect(page.get_by_text("The first 200 of 450")).to_be_visible()
        await page.get_by_role("button", name="More", exact=True).click()
        await expect(page.locator(".files .title")).to_have_count(450)
        assert (await names(visit))[-1] == "bird 449.txt"


async def test_files_whose_names_are_no_utf_8_are_opened_renamed_and_deleted(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    """As they come from an old disk: `café` in Latin-1, shown as far as it can be."""
    daemon.rpc(
        "add",
        files={b"old/caf\xe9/na\xefve.txt": b"from an old disk", b"old/caf\xe9/\xfcber.txt": b"and another"},
        to_files="/old",
    )
    async with chromium.visit(daemon, "files-bytes") as visit:
        page = visit.page
        await visit.open("files/old")
        await page.get_by_role("link", name="caf\ufffd").click()
        await visit.settled()
        await expect(page.get_by_role("heading", level=1)).to_have_text("caf\ufffd")
        await page.get_by_role("link", name="na\ufffdve.txt").click()
        await expect(page.get_by_role("dialog")).to_contain_text("from an old disk")
        await visit.shot("opened")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Actions for na\ufffdve.txt").click()
        await page.get_by_role("menuitem", name="Rename").click()
        await page.get_by_role("dialog").get_by_role("textbox").fill("naïve.txt")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("link", name="naïve.txt")).to_be_visible()
        await page.get_by_role("button", name="Actions for \ufffdber.txt").click()
        await page.get_by_role("menuitem", name="Delete").click()
        await expect(page.get_by_role("link", name="\ufffdber.txt")).to_have_count(0)
        assert daemon.ask("GET", "files", path="/old")["total"] == 1
        folder = daemon.ask("GET", "files", path="/old")["entries"][0]["path"]
        assert daemon.names(folder) == ["naïve.txt"]
