"""Certificates from files: what is wrong with them is said in a line, and new ones come into use without a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.daemon.tls.certificates import now, write_certificate
from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.tls.authority import Authority
from zwerm.daemon.tls.certificate import Certificate, load_certificate
from zwerm.daemon.tls.source import CertificateFiles


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make("test", now())


def test_certificate_says_for_what_and_until_when_it_is(tmp_path: Path, authority: Authority) -> None:
    found = load_certificate(*write_certificate(tmp_path, authority, "a.local", "192.168.0.7"))
    assert found.names == ("a.local", "192.168.0.7")
    assert found.begins < now().timestamp() < found.expires


def test_chain_and_key_may_stand_in_one_file(tmp_path: Path, authority: Authority) -> None:
    certificate, key = write_certificate(tmp_path, authority, "a.local")
    certificate.write_bytes(certificate.read_bytes() + key.read_bytes())
    assert load_certificate(certificate).names == ("a.local",)


def test_everything_wrong_with_the_files_is_one_clear_line(tmp_path: Path, authority: Authority) -> None:
    certificate, key = write_certificate(tmp_path / "one", authority, "a.local")
    _, other = write_certificate(tmp_path / "two", authority, "a.local")
    nothing = tmp_path / "nothing"
    nothing.write_text("nothing\n")
    for paths, words in (
        ((tmp_path / "absent", key), "absent: No such file or directory"),
        ((tmp_path, key), "Is a directory"),
        ((certificate, tmp_path / "absent"), "absent: No such file or directory"),
        ((nothing, key), "is not a certificate in PEM form"),
        ((certificate, nothing), "nothing holds no key in PEM form without a password"),
        ((certificate, None), "cert.pem holds no key in PEM form without a password"),
        ((certificate, other), f"the key in {other} is not that of the certificate in {certificate}"),
    ):
        with pytest.raises(LocalProtocolError) as failing:
            load_certificate(*paths)
        assert words in str(failing.value)
        assert "\n" not in str(failing.value)


async def test_files_that_change_come_into_use_and_half_a_change_does_not(tmp_path: Path, authority: Authority) -> None:
    certificate, key = write_certificate(tmp_path, authority, "a.local")
    used: asyncio.Queue[Certificate] = asyncio.Queue()
    task = asyncio.create_task(CertificateFiles(certificate, key, every=0.01).keep(used.put_nowait))
    try:
        assert (await used.get()).names == ("a.local",)
        kept = key.read_bytes()
        key.write_text("half a key\n")
        await asyncio.sleep(0.05)  # some looks that have to change nothing
        assert used.empty()
        key.write_bytes(kept)
        write_certificate(tmp_path, authority, "b.local")
        while (await used.get()).names != ("b.local",):
            pass  # the files as they were
    finally:
        task.cancel()
        await asyncio.wait([task])
