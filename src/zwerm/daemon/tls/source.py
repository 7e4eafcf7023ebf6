"""Where a server's certificate comes from: something that brings one, and a new one before the old is of no use."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.tls.certificate import Certificate, load_certificate

log = logging.getLogger("zwerm.https")

LOOK_AGAIN: Final = 20.0  # seconds until files are looked at again

Use = Callable[[Certificate], None]


class CertificateSource(Protocol):
    """Brings certificates, for as long as its task runs."""

    async def keep(self, use: Use) -> None:
        """Give the certificate to `use`, and each later one. Runs until it is cancelled."""


class CertificateFiles:
    """A certificate that somebody else puts into files, and renews there."""

    def __init__(self, certificate: Path, key: Path | None, *, every: float = LOOK_AGAIN) -> None:
        """Read the files; look again `every` so many seconds.

        Raises:
            LocalProtocolError: what they hold cannot be used; the message is one line.
        """
        self._paths = certificate, key
        self._every = every
        self._seen = self._state()
        self.first = load_certificate(certificate, key)

    async def keep(self, use: Use) -> None:
        use(self.first)
        while True:
            await asyncio.sleep(self._every)
            state = self._state()
            if state == self._seen:
                continue
            try:
                certificate = await asyncio.to_thread(load_certificate, *self._paths)
            except LocalProtocolError as error:  # perhaps one of two files was written: the next look says
                log.warning("the certificate stays as it was: %s", error)
                continue
            self._seen = state
            use(certificate)
            log.info("the certificate was renewed")

    def _state(self) -> list[tuple[int, int, int]]:
        found = []
        for path in self._paths:
            if path is not None:
                try:
                    status = os.stat(path)
                except OSError:
                    continue
                found.append((status.st_mtime_ns, status.st_size, status.st_ino))
        return found
