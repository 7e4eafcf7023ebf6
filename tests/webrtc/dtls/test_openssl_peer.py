"""OpenSSL's own programs as peers, over loopback, in both roles."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.net.sockets import LOOPBACK, until
from tests.webrtc.dtls.peers import (
    CLIENT_CERTIFICATE,
    OPENSSL_RECORDS,
    RSA_CERTIFICATE,
    SERVER_CERTIFICATE,
    STRANGER_CERTIFICATE,
    failure,
    payloads,
)
from zwerm.net.driver import Driver
from zwerm.net.udp import Batch, UdpSocket
from zwerm.webrtc.dtls.certificate import Certificate
from zwerm.webrtc.dtls.connection import DTLSConnection, State
from zwerm.webrtc.dtls.event import Cause, Closed, Config, Event, Handshaked, Role, SRTPProfile

pytestmark = [pytest.mark.interop, pytest.mark.slow]

LABEL = "EXPORTER-test"
SUITES = pytest.mark.parametrize(
    "cipher",
    ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"],
)
CONFIGS = pytest.mark.parametrize("config", [Config(), OPENSSL_RECORDS], ids=["own records", "OpenSSL's records"])


class Program:
    """`openssl s_server` or `s_client`, its output read as it comes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.output = ""
        self._reader = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while data := await self.process.stdout.read(4_096):
            self.output += data.decode("utf-8", "replace")

    def say(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line)

    async def wait_for(self, pattern: str) -> re.Match[str]:
        await until(lambda: re.search(pattern, self.output))
        found = re.search(pattern, self.output)
        assert found is not None
        return found

    async def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        await self._reader


@contextlib.asynccontextmanager
async def openssl(folder: Path, certificate: Certificate | None, *arguments: str) -> AsyncIterator[Program]:
    shown: list[str] = []
    if certificate is not None:
        pem = folder / "identity.pem"
        pem.write_bytes(certificate.to_pem())
        shown = ["-cert", str(pem), "-key", str(pem)]
    version = [] if "-dtls1" in arguments else ["-dtls1_2"]
    process = await asyncio.create_subprocess_exec(
        "openssl", arguments[0], *version, "-mtu", "1200", "-timeout", *shown, *arguments[1:],
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    program = Program(process)
    try:
        yield program
    finally:
        await program.end()


@contextlib.asynccontextmanager
async def our_client(
    program: Program, config: Config, expects: Certificate
) -> AsyncIterator[tuple[DTLSConnection, Driver[Event], list[Event]]]:
    """A connection of ours to `openssl s_server`, once that has said where it listens."""
    port = int((await program.wait_for(r"ACCEPT 127\.0\.0\.1:(\d+)"))[1])
    events: list[Event] = []
    async with UdpSocket.open(LOOPBACK) as socket:
        now = asyncio.get_running_loop().time()
        connection = DTLSConnection(
            Role.CLIENT,
            CLIENT_CERTIFICATE,
            ("127.0.0.1", port),
            now=now,
            fingerprints=[expects.fingerprint()],
            config=config,
        )
        driver = Driver(connection, socket, events.append)
        yield connection, driver, events
        driver.close()


@contextlib.asynccontextmanager
async def our_server(
    config: Config, expects: Certificate
) -> AsyncIterator[tuple[int, list[DTLSConnection], list[Driver[Event]], list[Event]]]:
    """A socket of ours that makes a connection of the first source it hears from."""
    events: list[Event] = []
    connections: list[DTLSConnection] = []
    drivers: list[Driver[Event]] = []
    async with UdpSocket.open(LOOPBACK) as socket:

        def begin(batch: Batch) -> None:
            now = asyncio.get_running_loop().time()
            connection = DTLSConnection(
                Role.SERVER,
                SERVER_CERTIFICATE,
                batch.source,
                now=now,
                fingerprints=[expects.fingerprint()],
                config=config,
            )
            connection.receive_datagrams(batch.datagrams, batch.source, now)
            connections.append(connection)
            drivers.append(Driver(connection, socket, events.append))

        socket.on_batch = begin
        yield socket.address[1], connections, drivers, events
        for driver in drivers:
            driver.close()


@SUITES
@CONFIGS
async def test_we_call_openssl(tmp_path: Path, cipher: str, config: Config) -> None:
    arguments = ("s_server", "-accept", "127.0.0.1:0", "-Verify", "1", "-cipher", cipher)
    async with (
        openssl(tmp_path, SERVER_CERTIFICATE, *arguments, "-keymatexport", LABEL) as program,
        our_client(program, config, SERVER_CERTIFICATE) as (connection, driver, events),
    ):
        await until(lambda: connection.state is not State.CONNECTING)
        assert [type(event) for event in events] == [Handshaked]
        (handshaked,) = events
        assert isinstance(handshaked, Handshaked)
        assert handshaked.cipher == cipher
        assert connection.owns_records is (config.own_records and "GCM" in cipher)
        material = (await program.wait_for(r"Keying material: ([0-9A-F]{40})"))[1]
        assert connection.export_keying_material(LABEL.encode(), 20).hex().upper() == material
        for number in range(3):
            connection.send([b"line %d of ours\n" % number])
            driver.pump()
            await program.wait_for(f"line {number} of ours")
            program.say(b"line %d of theirs\n" % number)
            await until(lambda number=number: len(payloads(events)) > number)
        assert payloads(events) == [b"line 0 of theirs\n", b"line 1 of theirs\n", b"line 2 of theirs\n"]
        connection.close()
        driver.pump()
        await program.wait_for("CONNECTION CLOSED|DONE|shutdown")


@SUITES
@CONFIGS
async def test_openssl_calls_us(tmp_path: Path, cipher: str, config: Config) -> None:
    async with our_server(config, CLIENT_CERTIFICATE) as (port, connections, drivers, events):
        arguments = ("s_client", "-connect", f"127.0.0.1:{port}", "-cipher", cipher)
        async with openssl(tmp_path, CLIENT_CERTIFICATE, *arguments, "-keymatexport", LABEL) as program:
            material = (await program.wait_for(r"Keying material: ([0-9A-F]{40})"))[1]
            connection, driver = connections[0], drivers[0]
            assert connection.export_keying_material(LABEL.encode(), 20).hex().upper() == material
            connection.send([b"the server speaks first\n"])
            driver.pump()
            await program.wait_for("the server speaks first")
            assert not connection.owns_records
            program.say(b"the client answers\n")
            await until(lambda: payloads(events))
            assert payloads(events) == [b"the client answers\n"]
            assert connection.owns_records is (config.own_records and "GCM" in cipher)
            connection.send([b"and the server again\n"])
            driver.pump()
            await program.wait_for("and the server again")
            program.say(b"Q\n")
            await until(lambda: connection.state is State.CLOSED)
            assert events[-1] == Closed()


async def test_rsa_certificates_and_srtp(tmp_path: Path) -> None:
    profile = SRTPProfile.AES128_CM_SHA1_80
    arguments = ("s_server", "-accept", "127.0.0.1:0", "-Verify", "1", "-use_srtp", profile.value)
    async with (
        openssl(tmp_path, RSA_CERTIFICATE, *arguments) as program,
        our_client(program, Config(srtp_profiles=tuple(SRTPProfile)), RSA_CERTIFICATE) as (connection, _, events),
    ):
        await until(lambda: connection.state is not State.CONNECTING)
        assert isinstance(events[0], Handshaked)
        assert events[0].srtp_profile is profile
        assert events[0].cipher.startswith("ECDHE-RSA")


async def test_openssl_with_another_certificate_is_refused(tmp_path: Path) -> None:
    arguments = ("s_server", "-accept", "127.0.0.1:0", "-Verify", "1")
    async with (
        openssl(tmp_path, SERVER_CERTIFICATE, *arguments) as program,
        our_client(program, Config(), STRANGER_CERTIFICATE) as (connection, _, events),
    ):
        await until(lambda: connection.state is State.FAILED)
        assert failure(events).cause is Cause.FINGERPRINT
        await program.wait_for("bad certificate")


@pytest.mark.parametrize(
    ("certificate", "arguments"),
    [(None, ()), (CLIENT_CERTIFICATE, ("-dtls1", "-cipher", "ALL:@SECLEVEL=0"))],
    ids=["no certificate", "DTLS 1.0"],
)
async def test_an_openssl_that_offers_too_little_is_refused(
    tmp_path: Path, certificate: Certificate | None, arguments: tuple[str, ...]
) -> None:
    async with (
        our_server(Config(), CLIENT_CERTIFICATE) as (port, connections, _, events),
        openssl(tmp_path, certificate, "s_client", *arguments, "-connect", f"127.0.0.1:{port}"),
    ):
        await until(lambda: connections and connections[0].state is State.FAILED)
        assert failure(events).cause is Cause.HANDSHAKE


async def test_cookies_of_a_server_that_asks_for_one_are_given_back(tmp_path: Path) -> None:
    arguments = ("s_server", "-accept", "127.0.0.1:0", "-Verify", "1", "-listen")
    async with (
        openssl(tmp_path, SERVER_CERTIFICATE, *arguments) as program,
        our_client(program, Config(), SERVER_CERTIFICATE) as (connection, _, _events),
    ):
        await until(lambda: connection.state is State.CONNECTED)
