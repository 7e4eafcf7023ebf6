"""A certificate for the names and addresses that this machine has in its local network, from its own authority.

When the machine comes to have another address, a new one is made; whoever trusts the authority notices nothing.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import re
import socket
from pathlib import Path
from typing import Final

from zwerm.core.errors import ZwermError
from zwerm.daemon.tls.authority import Authority, is_private
from zwerm.daemon.tls.certificate import load_certificate
from zwerm.daemon.tls.source import Use
from zwerm.net.interfaces import list_addresses

log = logging.getLogger("zwerm.https")

LOOK_AGAIN: Final = 30.0  # seconds until the addresses are looked at again
MAX_ADDRESSES: Final = 64


def machine_name() -> str:
    """Return this machine's name without its domain, in lower case, as names in certificates and mDNS are written."""
    short = socket.gethostname().partition(".")[0].lower()
    return re.sub(r"[^a-z0-9-]+", "-", short).strip("-")[:63] or "zwerm"


def lan_addresses() -> list[str]:
    """Addresses under which others of the local network reach this machine, those of IPv4 first."""
    usable = [
        each.address
        for each in list_addresses()
        if is_private(each.address) and not (each.is_loopback or each.is_link_local or each.is_temporary)
    ]
    return sorted(dict.fromkeys(usable), key=lambda address: ":" in address)[:MAX_ADDRESSES]


class LanCertificate:
    """The certificate of `--lan`."""

    def __init__(self, folder: Path, *, every: float = LOOK_AGAIN) -> None:
        """Read or make the authority in `folder`.

        Raises:
            LocalProtocolError: the authority there cannot be used.
        """
        self._folder = folder
        self._every = every
        self.host = machine_name()
        self.authority = Authority.open(folder, self.host, dt.datetime.now(dt.UTC))

    def names(self) -> list[str]:
        """Return everything that the certificate is for now, the best name first. Asks the kernel."""
        local = [f"{self.host}.local", "localhost", "127.0.0.1", "::1"]
        return list(dict.fromkeys([*local, *lan_addresses()]))

    async def keep(self, use: Use) -> None:
        names: list[str] = []
        made = 0.0
        while True:
            now = dt.datetime.now(dt.UTC)
            try:
                wanted = await asyncio.to_thread(self.names)
                if wanted != names or now.timestamp() - made > 86_400:
                    files = await asyncio.to_thread(self.authority.keep_issued, self._folder, wanted, now)
                    use(await asyncio.to_thread(load_certificate, *files))
                    names, made = wanted, now.timestamp()
            except (OSError, ZwermError) as error:
                log.warning("the certificate for the local network could not be made: %s", error)
            await asyncio.sleep(self._every)
