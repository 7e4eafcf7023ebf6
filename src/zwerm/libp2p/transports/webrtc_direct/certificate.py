"""The certificate that listeners show: its hash is in every address this node gives out, so it is kept.

It is replaced before it ends, and addresses change with it; connections that run keep the one they began with. Nobody
looks at its dates, so a long life costs nothing, and each change costs the addresses that others have noted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

from zwerm.core.errors import WireError
from zwerm.webrtc.dtls.certificate import Certificate

LIFETIME: Final = dt.timedelta(days=365)
RENEW_BEFORE: Final = dt.timedelta(days=30)  # of the end: a node that was off for weeks comes up with a good one


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class CertificateKeeper:
    """Gives the certificate of now, made anew when it is due."""

    def __init__(
        self,
        load: Callable[[], bytes | None] = lambda: None,
        save: Callable[[bytes], None] = lambda pem: None,  # noqa: ARG005 - what nothing is kept by
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        """Keep it by `load` and `save`, in PEM with its key: whoever reads it can be taken for this node's address."""
        self._load = load
        self._save = save
        self._clock = clock
        self._current: Certificate | None = None

    def current(self) -> Certificate:
        """Return the certificate to show now; errors of `load` and `save` pass through."""
        now = self._clock()
        if self._current is None:
            self._current = _read(self._load())
        if self._current is None or self._current.expires - now < RENEW_BEFORE:
            self._current = Certificate.generate(now=now, lifetime=LIFETIME)
            self._save(self._current.to_pem())
        return self._current


def _read(pem: bytes | None) -> Certificate | None:
    """What was kept; None when it is damaged: then there is another."""
    if pem is None:
        return None
    try:
        return Certificate.from_pem(pem)
    except WireError:
        return None
