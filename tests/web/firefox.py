"""Firefox, driven over WebDriver BiDi (W3C), which it speaks by itself: one web socket, commands out, events in.

Only what the tests here need: open, look, click, type, choose files, take a picture, and gather what went wrong.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.web.browser import SCREENSHOTS

FIREFOX = "/usr/bin/firefox-esr"
_PATIENCE = 20.0  # seconds for one thing on the page to become true
_KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Tab": "\ue004", "Control": "\ue009", "ArrowDown": "\ue015"}
_PREFERENCES = {
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.auto": False,
    "intl.accept_languages": "en-GB,en",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


class Firefox:
    """One tab of one Firefox."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.faults: list[str] = []
        self._socket = socket
        self._last = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._context = ""
        self._choosers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            data = json.loads(message.data)
            if "id" in data and data["id"] in self._waiting:
                self._waiting.pop(data["id"]).set_result(data)
            elif data.get("method") == "log.entryAdded" and data["params"]["level"] in ("error", "warn"):
                self.faults.append(f"{data['params']['type']}: {data['params']['text']}")
            elif data.get("method") == "input.fileDialogOpened":
                self._choosers.put_nowait(data["params"]["element"])

    async def command(self, method: str, **parameters: Any) -> Any:
        self._last += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[self._last] = answer
        await self._socket.send_json({"id": self._last, "method": method, "params": parameters})
        async with asyncio.timeout(60):
            data = await answer
        assert data["type"] == "success", f"{method}: {data}"
        return data["result"]

    async def begin(self) -> None:
        """Start the session and take the first tab."""
        await self.command("session.new", capabilities={"alwaysMatch": {"unhandledPromptBehavior": {"file": "ignore"}}})
        await self.command("session.subscribe", events=["log.entryAdded", "input.fileDialogOpened"])
        tree = await self.command("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]
        size = {"width": 1280, "height": 860}
        await self.command("browsingContext.setViewport", context=self._context, viewport=size)

    async def end(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def open(self, address: str) -> None:
        await self.command("browsingContext.navigate", context=self._context, url=address, wait="complete")

    async def run(self, expression: str) -> Any:
        """Evaluate an expression on the page; its value as JSON."""
        result = await self.command(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})) ?? null)()",
            target={"context": self._context},
            awaitPromise=True,
        )
        assert result["type"] == "success", f"{expression}: {result}"
        value = result["result"].get("value")
        return None if value is None else json.loads(value)

    async def until(self, expression: str) -> None:
        """Wait until an expression is true on the page."""
        looking = (
            "new Promise((found, late) => { const begun = performance.now(); const look = () => "
            f"({expression}) ? found(true) : performance.now() - begun > {_PATIENCE * 1000} ? "
            "late(new Error((document.querySelector('dialog[open]') ?? document.querySelector('main')).innerText +"
            " '\\nin the field: ' + document.activeElement?.value)) : setTimeout(look, 30); look(); })"
        )
        assert await self.run(looking) is True, expression

    async def text(self, wanted: str) -> None:
        """Wait until the page shows a text."""
        await self.until(f"document.body.innerText.includes({json.dumps(wanted)})")

    async def click(self, selector: str, text: str = "") -> None:
        """Click the first element of a selector that holds a text, with the pointer."""
        find = (
            f"[...document.querySelectorAll({json.dumps(selector)})].find((element) => element.checkVisibility() &&"
            f" `${{element.textContent}} ${{element.ariaLabel ?? ''}}`.includes({json.dumps(text)}))"
        )
        await self.until(find)
        x, y = await self.run(
            f"(() => {{ const element = {find}; element.scrollIntoView({{block: 'nearest'}});"
            " const box = element.getBoundingClientRect();"
            " return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)]; })()"
        )
        pointer = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        source = {"type": "pointer", "id": "mouse", "actions": pointer}
        await self.command("input.performActions", context=self._context, actions=[source])

    async def press(self, *keys: str, holding: str = "") -> None:
        """Press keys one after the other: `Enter`, or characters."""
        actions = [{"type": kind, "value": _KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")]
        if holding:
            held = _KEYS[holding]
            actions = [{"type": "keyDown", "value": held}, *actions, {"type": "keyUp", "value": held}]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        await self.command("input.performActions", context=self._context, actions=[source])

    async def choose(self, *paths: Path) -> None:
        """Answer the file dialog that the last click opened."""
        async with asyncio.timeout(_PATIENCE):
            element = await self._choosers.get()
        files = [str(path) for path in paths]
        await self.command("input.setFiles", context=self._context, element=element, files=files)

    async def shot(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await self.run("Promise.all(document.getAnimations().map((running) => running.finished.catch(() => 0)))")
        picture = await self.command("browsingContext.captureScreenshot", context=self._context)
        (SCREENSHOTS / f"firefox-{name}.png").write_bytes(base64.b64decode(picture["data"]))


@asynccontextmanager
async def running_firefox(profile: Path, preferences: Mapping[str, object] | None = None) -> AsyncIterator[Firefox]:
    """Start Firefox without a window on an empty profile folder, and end it."""
    chosen = {**_PREFERENCES, **(preferences or {})}
    lines = [f'user_pref("{name}", {json.dumps(value)});' for name, value in chosen.items()]
    (profile / "user.js").write_text("\n".join(lines) + "\n")
    process = await asyncio.create_subprocess_exec(
        *(FIREFOX, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port=0", "about:blank"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        address = ""
        async with asyncio.timeout(60):
            while not address:
                line = (await process.stderr.readline()).decode()
                assert line, "Firefox ended before it listened"
                if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
                    address = found[1]
        drain = asyncio.create_task(process.stderr.read())
        async with aiohttp.ClientSession() as client, client.ws_connect(f"{address}/session", max_msg_size=0) as socket:
            firefox = Firefox(socket)
            await firefox.begin()
            try:
                yield firefox
                assert firefox.faults == [], firefox.faults
            finally:
                await firefox.end()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    await drain
