"""Passkeys in a browser with a virtual authenticator: made, used on another device, refused elsewhere, removed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import CDPSession, expect

from tests.web.browser import Chromium, Visit, running_chromium
from tests.web.daemon import WebDaemon
from tests.web.test_calls import LIMIT, person, press, press_link, says
from tests.web.way import way_to

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-calls-passkeys"),
]


class Authenticator:
    """The part of a device that has passkeys, and asks for a finger."""

    def __init__(self, session: CDPSession, name: str) -> None:
        self._session = session
        self._name = name

    async def ask(self, method: str, **fields: Any) -> Any:
        return await self._session.send(f"WebAuthn.{method}", {"authenticatorId": self._name, **fields})

    async def credentials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.ask("getCredentials"))["credentials"]
        return found


async def authenticator(visit: Visit) -> Authenticator:
    session = await visit.page.context.new_cdp_session(visit.page)
    await session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return Authenticator(session, made["authenticatorId"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    async with running_chromium() as browser:
        yield browser


async def sign_in(visit: Visit, place: str = "") -> None:
    """Press the way of somebody who has a name already, and a passkey."""
    await visit.page.goto(f"{place or visit.daemon.url}/#/calls")
    await press(visit.page, "I have a name already")
    await press(visit.page, "With a passkey")


async def test_a_passkey_is_made_signs_another_device_in_and_opens_nothing_once_it_is_removed(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with AsyncExitStack() as stack:
        ann = await stack.enter_async_context(person(chromium, daemon, "keyann", 31))
        keys = await authenticator(ann)
        page = ann.page
        await press_link(page, "Account and devices")
        await keys.ask("setUserVerified", isUserVerified=False)
        await press(page, "Add a passkey")
        await says(page, "No passkey was made or used.")
        assert await keys.credentials() == []
        await keys.ask("setUserVerified", isUserVerified=True)
        await press(page, "Add a passkey")
        await says(page, "The passkey is made.")
        (made,) = await keys.credentials()
        assert (made["rpId"], made["isResidentCredential"]) == ("localhost", True)
        await expect(page.get_by_text("Passkey: Chrome")).to_be_visible()
        await press(page, "Add a passkey")
        await says(page, "This device has a passkey of this account already.")
        assert len(await keys.credentials()) == 1
        await ann.shot("passkeys")
        assert await ann.axe() == []

        phone = await stack.enter_async_context(chromium.visit(daemon, "calls-key-phone", size="phone", scheme="dark"))
        phone.page.set_default_timeout(LIMIT)
        other = await authenticator(phone)
        await sign_in(phone)
        await says(phone.page, "No passkey was made or used.")  # it has none yet
        await other.ask("addCredential", credential=made)  # as browsers carry them from device to device
        await phone.shot("sign-in")
        await press(phone.page, "With a passkey")
        await says(phone.page, "You are keyann.")
        await expect(page.get_by_role("button", name="Remove Chrome")).to_have_count(2)  # the telephone, the passkey

        row = page.locator(".person-row", has_text="Passkey: Chrome")
        await row.get_by_role("button").click()
        await says(page, "The passkey opens nothing any more.")
        await expect(page.get_by_text("Passkey: Chrome")).to_have_count(0)
        late = await stack.enter_async_context(chromium.visit(daemon, "calls-key-late", language="nl-NL"))
        late.page.set_default_timeout(LIMIT)
        third = await authenticator(late)
        await third.ask("addCredential", credential=(await other.credentials())[0])
        await late.page.goto(f"{daemon.url}/#/calls")
        await press(late.page, "Ik heb al een naam")
        await press(late.page, "Met een toegangssleutel")
        await says(late.page, "Deze toegangssleutel opent hier geen account.")
        await late.shot("refused")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("127.0.0.1", "Passkeys work at the usual address of this service only."),  # the browser refuses
        ("localhost", "This passkey does not open an account here."),  # another port: the service does
    ],
)
async def test_a_passkey_opens_nothing_from_another_origin(
    chromium: Chromium, daemon: WebDaemon, host: str, words: str
) -> None:
    async with AsyncExitStack() as stack:
        way = await stack.enter_async_context(way_to(daemon.port))
        name = "keybea" if host == "localhost" else "keycas"
        ann = await stack.enter_async_context(person(chromium, daemon, name, 32))
        keys = await authenticator(ann)
        await press_link(ann.page, "Account and devices")
        await press(ann.page, "Add a passkey")
        await says(ann.page, "The passkey is made.")
        eve = await stack.enter_async_context(chromium.visit(daemon, f"calls-{name}-eve"))
        eve.page.set_default_timeout(LIMIT)
        stolen = await authenticator(eve)
        await stolen.ask("addCredential", credential=(await keys.credentials())[0])
        await sign_in(eve, f"http://{host}:{way.port}")
        await says(eve.page, words)
        await expect(eve.page.get_by_role("button", name="With a passkey")).to_be_visible()
        await sign_in(eve)
        await says(eve.page, f"You are {name}.")  # it was the origin and nothing else
