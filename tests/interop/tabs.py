"""A tab of Chromium or Firefox with one RTCPeerConnection in it, driven by expressions; descriptions pass as text."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from playwright.async_api import async_playwright

from tests.web.browser import CHROMIUM
from tests.web.firefox import running_firefox
from tests.webrtc.w3c.both import announced, connected
from zwerm.webrtc import RTCDataChannel, RTCPeerConnection, RTCSessionDescription

FLAGS = ("--no-sandbox", "--allow-loopback-in-peer-connection")
SEEN = "--disable-features=WebRtcHideLocalIpsWithMdns"  # host addresses are told
_ICE = "media.peerconnection.ice"
LOOPBACK: dict[str, object] = {f"{_ICE}.loopback": True, f"{_ICE}.obfuscate_host_addresses": False}

SCRIPT = """
window.peer?.close();
window.peer = new RTCPeerConnection(CONFIGURATION);
window.trickled = [];
window.told = [];
peer.onicecandidate = ({candidate}) => trickled.push(candidate && candidate.toJSON());
peer.onicecandidateerror = (error) => told.push(`${error.url} ${error.errorCode} ${error.errorText}`);
window.keep = (channel) => {
  window.channel = channel;
  channel.onmessage = ({data}) => channel.send(data);
};
peer.ondatachannel = ({channel}) => keep(channel);
window.gathered = () => new Promise((resolve) => {
  const look = () => { if (peer.iceGatheringState === 'complete') resolve(peer.localDescription.toJSON()); };
  peer.addEventListener('icegatheringstatechange', look);
  look();
});
window.selected = async () => {
  for (;;) {
    const all = [...(await peer.getStats()).values()];
    const pair = all.find((one) => one.type === 'candidate-pair' && one.nominated && one.state === 'succeeded');
    if (pair) {
      const [local, remote] = [pair.localCandidateId, pair.remoteCandidateId]
        .map((id) => all.find((one) => one.id === id));
      return [local.candidateType, local.relayProtocol ?? null, remote.candidateType, remote.protocol];
    }
    await new Promise((resume) => setTimeout(resume, 20));
  }
};
"""


class Runner(Protocol):
    """What a browser does here."""

    async def open(self, address: str) -> None: ...

    async def run(self, expression: str) -> Any:
        """Evaluate an expression on the page; its value as JSON."""
        ...


class Tab:
    """One page with one connection."""

    def __init__(self, name: str, runner: Runner) -> None:
        self.name = name
        self._runner = runner

    async def run(self, expression: str) -> Any:
        return await self._runner.run(expression)

    async def open(self, address: str) -> None:
        """Go to a page."""
        await self._runner.open(address)

    async def begin(self, configuration: Mapping[str, Any] | None = None) -> None:
        """Make a connection on a new page: Chromium tells names again that it took back with the last connection."""
        await self._runner.open("about:blank")
        script = SCRIPT.replace("CONFIGURATION", json.dumps(configuration or {}))
        await self.run(f"(() => {{ {script} return true; }})()")

    async def end(self) -> None:
        await self.run("(() => { peer.close(); return true; })()")

    async def open_channel(self, ours: RTCPeerConnection, *, we_offer: bool) -> RTCDataChannel:
        """Signal without trickle, in the role that is asked for, and return our channel when it is open."""
        if we_offer:
            channel = ours.createDataChannel("chat")
            await ours.setLocalDescription()
            answer = await self.run(
                f"peer.setRemoteDescription({described(ours)}).then(() => peer.setLocalDescription())"
                ".then(() => gathered())"
            )
            await ours.setRemoteDescription(RTCSessionDescription(**answer))
            return await connected(channel)
        future = announced(ours)
        offer = await self.run(
            "(() => { keep(peer.createDataChannel('chat'));"
            " return peer.setLocalDescription().then(() => gathered()); })()"
        )
        await ours.setRemoteDescription(RTCSessionDescription(**offer))
        await ours.setLocalDescription()
        await self.run(f"peer.setRemoteDescription({described(ours)}).then(() => true)")
        return await future


def described(ours: RTCPeerConnection) -> str:
    """Our description as JSON."""
    description = ours.localDescription
    assert description is not None
    return json.dumps({"type": description.type, "sdp": description.sdp})


class _ChromiumPage:
    def __init__(self, page: Any) -> None:
        self._page = page

    async def open(self, address: str) -> None:
        await self._page.goto(address)

    async def run(self, expression: str) -> Any:
        return await self._page.evaluate(f"async () => await ({expression})")


@contextlib.asynccontextmanager
async def chromium_tab(*flags: str) -> AsyncIterator[Tab]:
    """Start Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
        try:
            yield Tab("chromium", _ChromiumPage(await browser.new_page()))
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def firefox_tab(
    profile: Path, preferences: Mapping[str, object] = LOOPBACK, *, authority: Path | None = None
) -> AsyncIterator[Tab]:
    """Start Firefox on an empty profile, which trusts the certificate of `authority`."""
    if authority is not None:
        for arguments in (["-N", "--empty-password"], ["-A", "-n", "test", "-t", "CT,,", "-i", str(authority)]):
            await asyncio.to_thread(
                subprocess.run, ["certutil", "-d", f"sql:{profile}", *arguments], check=True, capture_output=True
            )
    async with running_firefox(profile, preferences) as browser:
        yield Tab("firefox", browser)
