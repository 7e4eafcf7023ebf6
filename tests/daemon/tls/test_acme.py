"""A certificate from a real ACME server, Pebble, for a real daemon: fetched, used, kept, and renewed before it ends."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509

from tests.daemon.harness import Daemon
from tests.daemon.tls.pebble import VALIDATION, Pebble, running_pebble
from zwerm.core.errors import TransportError
from zwerm.daemon.tls.acme import AcmeCertificate

PATIENCE = 60
NAME = "zwerm.example"


@pytest.fixture(scope="module")
def pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    with running_pebble(tmp_path_factory.mktemp("pebble"), lifetime=8) as running:
        yield running


def shown(daemon: Daemon) -> x509.Certificate | None:
    """The certificate that a client is shown; None while there is none."""
    line = next(line for line in daemon.output if line.startswith("Web app from other machines: "))
    port = int(line.rpartition(":")[2].rstrip("/"))
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


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)


def test_daemon_fetches_a_certificate_and_renews_it_and_keeps_account_and_key(
    pebble: Pebble, start: Callable[..., Daemon], tmp_path: Path
) -> None:
    overrides = {
        "https.domain": NAME,
        "https.acme_directory": pebble.directory,
        "https.acme_trusted": str(pebble.trusted),
        "addresses.plain": f"{pebble.address}:{VALIDATION}",
    }
    daemon = start(overrides=overrides)
    assert any(line.startswith(f"Web app from other machines: https://{NAME}:") for line in daemon.output)
    until(lambda: shown(daemon) is not None)
    first = shown(daemon)
    assert first is not None
    names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [NAME]
    until(lambda: (found := shown(daemon)) is not None and found.serial_number != first.serial_number)
    kept = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "repository" / "tls").iterdir()}
    assert kept == {"acme-account.key": 0o600, f"{NAME}.key": 0o600, f"{NAME}.pem": 0o644}
    account = (tmp_path / "repository" / "tls" / "acme-account.key").read_bytes()
    assert daemon.stop() == 0, daemon.errors

    again = start(overrides=overrides)
    until(lambda: shown(again) is not None)
    assert (tmp_path / "repository" / "tls" / "acme-account.key").read_bytes() == account
    assert again.stop() == 0, again.errors
    assert "Traceback" not in daemon.errors + again.errors


def test_name_that_cannot_be_proved_is_said_in_a_line(pebble: Pebble, tmp_path: Path) -> None:
    with pytest.raises(TransportError) as failing:
        AcmeCertificate(tmp_path, NAME, pebble.directory, {}, trusted=pebble.trusted).obtain()
    assert NAME in str(failing.value)
    assert "\n" not in str(failing.value)
    assert not (tmp_path / f"{NAME}.pem").exists()


def test_authority_that_is_not_there_or_not_trusted_is_said_and_tried_again(pebble: Pebble, tmp_path: Path) -> None:
    with pytest.raises(TransportError, match="certificate verify failed"):
        AcmeCertificate(tmp_path, NAME, pebble.directory, {}).obtain()
    with pytest.raises(TransportError, match="refused"):
        AcmeCertificate(tmp_path, NAME, f"https://{pebble.address}:9/dir", {}).obtain()
