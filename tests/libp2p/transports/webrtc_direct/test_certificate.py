"""The listener's certificate: kept, renewed in time, and made anew when what was kept is damaged."""

from __future__ import annotations

import datetime as dt

import pytest

from zwerm.libp2p.transports.webrtc_direct.certificate import LIFETIME, RENEW_BEFORE, CertificateKeeper, utc_now

BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Shelf:
    """Where it is kept, and what time it is."""

    def __init__(self) -> None:
        self.pem: bytes | None = None
        self.now = BEGIN

    def keeper(self) -> CertificateKeeper:
        return CertificateKeeper(lambda: self.pem, self.save, lambda: self.now)

    def save(self, pem: bytes) -> None:
        self.pem = pem


def test_a_restart_shows_the_certificate_of_before() -> None:
    shelf = Shelf()
    first = shelf.keeper().current()
    assert shelf.keeper().current().der == first.der


def test_it_is_renewed_before_it_ends_and_not_earlier() -> None:
    shelf = Shelf()
    keeper = shelf.keeper()
    first = keeper.current()
    shelf.now = BEGIN + LIFETIME - RENEW_BEFORE - dt.timedelta(hours=1)
    assert keeper.current().der == first.der
    shelf.now += dt.timedelta(hours=2)
    second = keeper.current()
    assert second.der != first.der
    assert shelf.keeper().current().der == second.der


@pytest.mark.parametrize("pem", [b"", b"not a certificate"], ids=["empty", "other"])
def test_what_is_damaged_is_replaced(pem: bytes) -> None:
    shelf = Shelf()
    shelf.pem = pem
    made = shelf.keeper().current()
    assert shelf.pem == made.to_pem()


def test_without_a_place_it_lives_as_long_as_the_process() -> None:
    keeper = CertificateKeeper()
    assert keeper.current() is keeper.current()
    assert keeper.current().expires > utc_now()
