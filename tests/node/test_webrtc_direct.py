"""The certificate of webrtc-direct in the repository: the same after a restart, so that addresses stay good."""

from __future__ import annotations

from pathlib import Path

import pytest

from zwerm.core.errors import StorageError
from zwerm.node.webrtc_direct import CERTIFICATE_NAME, kept_certificate


def test_it_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    first = kept_certificate(tmp_path).current()
    assert kept_certificate(tmp_path).current().der == first.der
    assert (tmp_path / CERTIFICATE_NAME).stat().st_mode & 0o777 == 0o600


def test_a_damaged_one_is_replaced(tmp_path: Path) -> None:
    (tmp_path / CERTIFICATE_NAME).write_bytes(b"half a certif")
    made = kept_certificate(tmp_path).current()
    assert (tmp_path / CERTIFICATE_NAME).read_bytes() == made.to_pem()


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / CERTIFICATE_NAME).mkdir()
    with pytest.raises(StorageError, match="read"):
        kept_certificate(tmp_path).current()
