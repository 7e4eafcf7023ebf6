"""Passkeys: made and used by an authenticator in software that writes what the specification says, and by bad ones."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from tests.daemon.calls.caller import CallError, People, eventually, people
from zwerm.calls.identity import decode, encode
from zwerm.calls.limits import CallsConfig, Rate
from zwerm.calls.service.aio import ServiceOptions

ORIGIN = "https://calls.example"
GENEROUS = CallsConfig(strangers=Rate(100, 10.0))


class Authenticator:
    """W3C Web Authentication, sections 6.1 and 6.5: authenticator data, and assertions over it."""

    def __init__(self, origin: str = ORIGIN) -> None:
        self.origin = origin
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(32)
        self.count = 0
        self.flags = 0x05  # the person is there, and was verified

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _data(self, host: str, attested: bytes = b"") -> bytes:
        flags = self.flags | (0x40 if attested else 0)
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big") + attested

    def create(self, options: dict[str, Any]) -> str:
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(cose)
        made = {"fmt": "none", "attStmt": {}, "authData": self._data(options["rp"]["id"], attested)}
        response = {
            "clientDataJSON": encode(self._client("webauthn.create", options["challenge"])),
            "attestationObject": encode(cbor2.dumps(made)),
        }
        return self._credential(response)

    def get(self, options: dict[str, Any]) -> str:
        self.count += 1
        data, client = self._data(options["rpId"]), self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": encode(client),
            "authenticatorData": encode(data),
            "signature": encode(signature),
            "userHandle": None,
        }
        return self._credential(response)

    def _credential(self, response: dict[str, Any]) -> str:
        name = encode(self.id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


async def with_passkey(everybody: People) -> tuple[Any, Authenticator]:
    ann, authenticator = await everybody.user("ann"), Authenticator()
    options = (await ann.ask("passkey-new"))["options"]
    await ann.ask("passkey-add", credential=authenticator.create(options), label="Key ring")
    return ann, authenticator


async def test_a_passkey_signs_a_new_device_in(store: Path) -> None:
    async with people(store, options=ServiceOptions(origin=ORIGIN)) as everybody:
        ann, authenticator = await with_passkey(everybody)
        options = (await ann.ask("passkey-new"))["options"]
        assert [decode(each["id"]) for each in options["excludeCredentials"]] == [authenticator.id]
        phone = await everybody.stranger("Telephone")
        options = (await phone.ask("passkey-challenge"))["options"]
        assert options["rpId"] == "calls.example"
        credential = authenticator.get(options)
        value = await phone.ask("passkey-sign-in", credential=credential, key=phone.key, label=phone.label)
        phone.device = value["device"]
        assert (await phone.hello())["name"] == "ann"
        await ann.ask("passkey-remove", passkey=encode(authenticator.id))
        assert (await ann.ask("me"))["passkeys"] == []


@pytest.mark.parametrize("fault", ["replayed", "origin", "absent", "stranger", "copied", "garbage", "unasked"])
async def test_what_is_not_a_right_answer_lets_nobody_in(store: Path, fault: str) -> None:
    async with people(store, GENEROUS, options=ServiceOptions(origin=ORIGIN)) as everybody:
        _, authenticator = await with_passkey(everybody)
        eve = await everybody.stranger("Eve")
        options = (await eve.ask("passkey-challenge"))["options"]
        credential = authenticator.get(options)
        match fault:
            case "replayed":
                await eve.ask("passkey-challenge")
            case "origin":
                authenticator.origin = "https://evil.example"
                credential = authenticator.get(options)
            case "absent":
                authenticator.flags = 0x00
                credential = authenticator.get(options)
            case "stranger":
                credential = Authenticator().get(options)
            case "copied":
                used = {"credential": credential, "key": eve.key, "label": "Eve"}
                await eve.ask("passkey-sign-in", **used)
                authenticator.count = 0
                credential = authenticator.get((await eve.ask("passkey-challenge"))["options"])
            case "garbage":
                credential = '{"id": 5}'
            case "unasked":
                eve = await everybody.stranger("Eve")
        with pytest.raises(CallError) as caught:
            await eve.ask("passkey-sign-in", credential=credential, key=eve.key, label="Eve")
        assert caught.value.code == "bad-passkey"


async def test_a_passkey_made_for_another_site_or_of_somebody_else_is_not_kept(store: Path) -> None:
    async with people(store, options=ServiceOptions(origin=ORIGIN)) as everybody:
        _, taken = await with_passkey(everybody)
        eve = await everybody.user("eve")
        for authenticator in (Authenticator("https://evil.example"), taken):
            options = (await eve.ask("passkey-new"))["options"]
            with pytest.raises(CallError) as caught:
                await eve.ask("passkey-add", credential=authenticator.create(options), label="x")
            assert caught.value.code == "bad-passkey"


class Recorder:
    """A wire that keeps why it was cut."""

    def __init__(self) -> None:
        self.why: str | None = None

    def wake(self) -> None:
        """There is nobody to send to."""

    def cut(self, code: str, what: str) -> None:
        self.why = code


@pytest.mark.parametrize("signing", [0.0, 3600.0], ids=["too late", "in time"])
async def test_whoever_is_asked_for_a_passkey_has_the_time_that_a_person_needs(store: Path, signing: float) -> None:
    async with people(store, CallsConfig(greeting=0.0, signing=signing)) as everybody:
        connect = everybody.server.service.connect
        asked, silent = Recorder(), Recorder()
        client = connect(asked, host="calls.example", peer="192.0.2.1")
        client.challenge = b"to be signed"
        other = connect(silent, host="calls.example", peer="192.0.2.1")
        await eventually(lambda: silent.why == "sign-in")
        if signing:
            assert asked.why is None
        else:
            await eventually(lambda: asked.why == "sign-in")
        client.ended()
        other.ended()
