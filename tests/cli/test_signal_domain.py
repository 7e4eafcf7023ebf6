"""`zwerm signal --domain`: a certificate from a real ACME server, and the service behind it."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509

from tests.cli.harness import Harness
from tests.cli.test_signal import Signal
from tests.daemon.tls.pebble import VALIDATION, Pebble, running_pebble

NAME = "calls.example"
PATIENCE = 60.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    with running_pebble(tmp_path_factory.mktemp("pebble"), lifetime=8) as running:
        yield running


def shown(port: int) -> x509.Certificate | None:
    """The certificate that a client is shown; None while there is none."""
    context = ssl._create_unverified_context()
    try:
        with (
            socket.create_connection(("127.0.0.1", port), PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname=NAME) as secure,
        ):
            found = secure.getpeercert(binary_form=True)
            assert found is not None
            return x509.load_der_x509_certificate(found)
    except ssl.SSLError:
        return None


def another(port: int, than: x509.Certificate | None) -> x509.Certificate:
    """Wait for a certificate other than this one."""
    deadline = time.monotonic() + PATIENCE
    while (found := shown(port)) is None or (than is not None and found.serial_number == than.serial_number):
        assert time.monotonic() < deadline, "no certificate came"
        time.sleep(0.1)
    return found


async def test_a_name_is_enough_for_https_and_its_certificate_is_renewed(pebble: Pebble, tmp_path: Path) -> None:
    options: tuple[str | Path, ...] = ("--domain", NAME, "--store", tmp_path / "calls.sqlite", "--no-push")
    options += ("--acme-directory", pebble.directory, "--acme-trusted", pebble.trusted)
    options += ("--acme-folder", tmp_path / "tls", "--plain", f"{pebble.address}:{VALIDATION}")
    service = Signal(Harness(tmp_path / "here"), *options)
    try:
        name, _, text = service.where.removeprefix("https://").partition(":")
        assert name == NAME
        port = int(text)
        first = another(port, None)
        names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [NAME]
        async with aiohttp.ClientSession() as http:
            socket_url = f"wss://127.0.0.1:{port}/api/calls/v1/socket"
            headers = {"Host": f"{NAME}:{port}", "Origin": f"https://{NAME}:{port}"}
            async with http.ws_connect(socket_url, ssl=False, headers=headers) as calls:
                assert json.loads(await calls.receive_str())["type"] == "welcome"
            plain = f"http://{pebble.address}:{VALIDATION}/x"
            async with http.get(plain, headers={"Host": NAME}, allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (308, f"https://{NAME}:{port}/x")
            async with http.get(plain, headers={"Host": "evil.example"}, allow_redirects=False) as answer:
                assert answer.status == 421
        another(port, first)
        kept = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "tls").iterdir()}
        assert kept == {"acme-account.key": 0o600, f"{NAME}.key": 0o600, f"{NAME}.pem": 0o644}
        assert service.end() == 0
    finally:
        if service.process.poll() is None:
            service.end(signal.SIGKILL)


def test_two_ways_to_https_are_one_too_many(tmp_path: Path) -> None:
    said = Harness(tmp_path / "here").run("signal", "--domain", NAME, "--cert", "/x.pem", status=None)
    assert said.status in (1, 2)
    assert "--domain and --cert" in said.err
    assert "Traceback" not in said.err
