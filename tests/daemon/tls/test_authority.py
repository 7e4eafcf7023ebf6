"""The authority of a house: what it can vouch for, what it cannot, and how it is kept."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from tests.daemon.tls.certificates import now
from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.tls.authority import LIFETIME, PRIVATE, RENEW, SERVER_LIFETIME, Authority, is_private
from zwerm.daemon.tls.certificate import names_of
from zwerm.daemon.tls.lan import LanCertificate


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make("desk", now())


def test_authority_is_bound_to_names_and_addresses_of_a_house(authority: Authority) -> None:
    extension = authority.certificate.extensions.get_extension_for_class(x509.NameConstraints)
    assert extension.critical
    allowed = extension.value.permitted_subtrees or []
    assert [each.value for each in allowed if isinstance(each, x509.DNSName)] == ["local", "localhost"]
    assert [each.value for each in allowed if isinstance(each, x509.IPAddress)] == list(PRIVATE)


def test_clients_refuse_what_it_signs_for_names_outside(authority: Authority, tmp_path: Path) -> None:
    """OpenSSL is the client here; Chromium is in tests/web/test_lan.py."""
    root = tmp_path / "root.pem"
    root.write_bytes(authority.pem)
    for name, accepted in (
        ("desk.local", True),
        ("192.168.1.9", True),
        ("fd00::9", True),
        ("example.org", False),
        ("notlocal", False),
        ("8.8.8.8", False),
        ("2001:db8::1", False),
    ):
        leaf = tmp_path / "leaf.pem"
        leaf.write_bytes(authority.issue([name], now())[0])
        done = subprocess.run(
            ["openssl", "verify", "-CAfile", root, "-purpose", "sslserver", leaf],
            check=False,
            capture_output=True,
            text=True,
        )
        assert (done.returncode == 0) is accepted, (name, done.stderr)
        assert accepted or "permitted subtree violation" in done.stdout + done.stderr


def test_certificate_lasts_no_longer_than_telephones_take(authority: Authority) -> None:
    leaf = x509.load_pem_x509_certificate(authority.issue(["desk.local"], now())[0])
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc < dt.timedelta(days=825)
    leaf.verify_directly_issued_by(authority.certificate)


def test_key_lies_where_only_its_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    kept = Authority.open(folder, "desk", now())
    kept.keep_issued(folder, ["desk.local"], now())
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.glob("*.key")} == {
        "authority.key": 0o600,
        "lan.key": 0o600,
    }
    assert Authority.open(folder, "desk", now()).fingerprint == kept.fingerprint


def test_authority_that_ends_soon_is_made_anew(tmp_path: Path) -> None:
    old = Authority.open(tmp_path / "tls", "desk", now() - LIFETIME + RENEW)
    assert Authority.open(tmp_path / "tls", "desk", now()).fingerprint != old.fingerprint


def test_certificate_is_kept_until_it_ends_or_the_names_change(tmp_path: Path) -> None:
    kept = Authority.open(tmp_path, "desk", now())
    path, _ = kept.keep_issued(tmp_path, ["desk.local", "10.0.0.1"], now())
    first = path.read_bytes()
    kept.keep_issued(tmp_path, ["10.0.0.1", "desk.local"], now())
    assert path.read_bytes() == first
    kept.keep_issued(tmp_path, ["desk.local", "10.0.0.2"], now())
    second = x509.load_pem_x509_certificate(path.read_bytes())
    assert names_of(second) == ["desk.local", "10.0.0.2"]
    kept.keep_issued(tmp_path, ["desk.local", "10.0.0.2"], now() + SERVER_LIFETIME - RENEW)
    assert x509.load_pem_x509_certificate(path.read_bytes()).serial_number != second.serial_number


def test_damaged_authority_is_said_not_replaced(tmp_path: Path) -> None:
    Authority.open(tmp_path, "desk", now())
    (tmp_path / "authority.key").write_bytes(Authority.make("other", now()).key_pem)
    with pytest.raises(LocalProtocolError, match=r"authority.key is not the key of .*authority.pem"):
        Authority.open(tmp_path, "desk", now())
    (tmp_path / "authority.pem").write_text("nothing")
    with pytest.raises(LocalProtocolError, match=r"cannot be read"):
        Authority.open(tmp_path, "desk", now())


def test_private_is_what_nobody_owns() -> None:
    assert all(map(is_private, ("10.1.2.3", "192.168.0.1", "172.31.0.1", "fe80::1", "fd12::1", "127.0.0.1")))
    assert not any(map(is_private, ("8.8.8.8", "172.32.0.1", "2001:db8::1", "::")))


def test_names_of_this_machine_are_all_such_that_the_authority_may_vouch_for_them(tmp_path: Path) -> None:
    lan = LanCertificate(tmp_path / "tls")
    assert lan.names()[0] == f"{lan.host}.local"
    assert {"localhost", "127.0.0.1", "::1"} <= set(lan.names())
    addresses = [name for name in lan.names() if name[0].isdigit() or ":" in name]
    assert all(map(is_private, addresses))
