"""HTTPS of a node: which way it has been asked for, where it listens, and under which names it is known.

One way at a time: files that somebody keeps (`https.cert`), an ACME authority (`https.domain`), or a local authority
(`https.lan`). None of them is on by itself, and without one nothing here listens.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.http.proxies import TrustedProxies
from zwerm.daemon.tls.certificate import Certificate, ServerTls
from zwerm.daemon.tls.source import CertificateFiles, CertificateSource
from zwerm.node.address import Address

if TYPE_CHECKING:
    from zwerm.daemon.http.server import Handler
    from zwerm.daemon.tls.lan import LanCertificate
    from zwerm.node.config import Config

FOLDER: Final = "tls"  # in the repository
_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 -- what --domain and --lan ask for
_DEFAULTS: Final = {  # where HTTPS and plain HTTP are, by the way of asking
    "cert": ("127.0.0.1:8443", None),
    "domain": (f"{_EVERYWHERE}:443", f"{_EVERYWHERE}:80"),
    "lan": (f"{_EVERYWHERE}:8443", f"{_EVERYWHERE}:8480"),
}


class NodeHttps:
    """The HTTPS of one node. Read the options, bind, `start`, `close`."""

    def __init__(self, config: Config, repository: Path) -> None:
        """Read what was asked for.

        Raises:
            LocalProtocolError: settings that contradict each other, files that cannot be used.
        """
        self._config = config
        self.tls = ServerTls()
        self.challenges: dict[str, str] = {}
        self.way = _way(config)
        self.public_origin = config.text("https.public_origin").rstrip("/")
        self.proxies = TrustedProxies(config.texts("https.trusted_proxies"), self.public_origin)
        self.lan: LanCertificate | None = None
        self._source = self._make_source(repository / FOLDER)
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._address: Address | None = None
        self._plain: Address | None = None

    def _make_source(self, folder: Path) -> CertificateSource | None:
        config = self._config
        if self.way == "cert":
            key = config.text("https.key")
            files = CertificateFiles(Path(config.text("https.cert")), Path(key) if key else None)
            self.tls.use(files.first)
            return files
        if self.way == "domain":
            from zwerm.daemon.tls.acme import AcmeCertificate

            directory = config.text("https.acme_directory")
            if not directory:
                raise LocalProtocolError("https.domain needs an authority: https.acme_directory is empty")
            trusted = config.text("https.acme_trusted")
            return AcmeCertificate(
                folder,
                config.text("https.domain").lower(),
                directory,
                self.challenges,
                trusted=Path(trusted) if trusted else None,
            )
        if self.way == "lan":
            from zwerm.daemon.tls.lan import LanCertificate

            self.lan = LanCertificate(folder)
            return self.lan
        return None

    def asked(self) -> dict[str, Address]:
        """Where to listen, by listener."""
        if self.way is None:
            return {}
        found: dict[str, Address] = {}
        for name, default in zip(("https", "plain"), _DEFAULTS[self.way], strict=True):
            address = self._config.address(f"addresses.{name}")
            if address is None and default is not None:
                address = Address.from_text(default).shifted(self._config.port_offset)
            if address is not None:
                found[name] = address
        return found

    def bound(self, addresses: dict[str, Address]) -> None:
        """Take over where the listeners came to be."""
        self._address, self._plain = addresses.get("https"), addresses.get("plain")

    async def start(self) -> None:
        """Have a certificate, if one can be had at once."""
        if self._source is None:
            return
        self._task = asyncio.create_task(self._source.keep(self._use))
        if self.way != "domain":
            await self._ready.wait()

    async def close(self) -> None:
        """Stop renewing. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    def plain_handler(self) -> Handler:
        """What answers on the plain listener."""
        from zwerm.daemon.tls.plain import PlainHandler
        from zwerm.daemon.tls.trust import TrustPages

        trust = TrustPages(self.lan.authority, self.lan.host) if self.lan is not None else None
        return PlainHandler(
            self.challenges, lambda: self.hosts, lambda: self._address.port if self._address else 443, trust
        )

    @property
    def hosts(self) -> frozenset[str]:
        """Names under which browsers may come, beside addresses and localhost."""
        names = {urlsplit(self.public_origin).hostname or "", self._config.text("https.domain").lower()}
        if self.tls.current is not None:
            names.update(name for name in self.tls.current.names if "*" not in name)
        return frozenset(names - {""})

    @property
    def name(self) -> str:
        """The name to tell others."""
        if self.way == "domain":
            return self._config.text("https.domain").lower()
        known = [name for name in (self.tls.current.names if self.tls.current else ()) if "*" not in name]
        if self.lan is not None:  # telephones resolve addresses better than names
            known = [name for name in known if name[0].isdigit() and not name.startswith("127.")]
        return known[0] if known else "localhost"

    @property
    def is_public(self) -> bool:
        """Whether strangers come, so that nothing is open to them that was not asked for; in a house there are none."""
        return self.way in ("cert", "domain") or bool(self.public_origin)

    @property
    def origin(self) -> str | None:
        """Where browsers reach the web app by HTTPS; None: nowhere."""
        if self.public_origin:
            return self.public_origin
        return None if self._address is None else f"https://{_place(self.name, self._address.port, 443)}"

    @property
    def trust_url(self) -> str | None:
        """The page on which another machine of the house comes to trust this one; None: there is none."""
        if self.lan is None or self._plain is None:
            return None
        return f"http://{_place(self.name, self._plain.port, 80)}/trust"

    def describe(self) -> dict[str, Any]:
        """What the web app shows of it."""
        return {
            "way": self.way or ("proxy" if self.public_origin else None),
            "origin": self.origin,
            "trust": self.trust_url,
            "fingerprint": self.lan.authority.fingerprint if self.lan is not None else None,
            "ready": self.tls.current is not None or bool(self.public_origin),
            "failure": getattr(self._source, "failure", None),
        }

    def _use(self, certificate: Certificate) -> None:
        self.tls.use(certificate)
        self._ready.set()


def _way(config: Config) -> str | None:
    ways = {
        "cert": bool(config.text("https.cert")),
        "domain": bool(config.text("https.domain")),
        "lan": config.boolean("https.lan"),
    }
    chosen = [name for name, given in ways.items() if given]
    if len(chosen) > 1:
        names = " and ".join(f"--{name}" for name in chosen)
        raise LocalProtocolError(f"{names} are two ways to HTTPS; give one")
    if config.text("https.key") and "cert" not in chosen:
        raise LocalProtocolError("--key is given without --cert: a key alone proves nothing")
    if config.text("https.public_origin") and not config.texts("https.trusted_proxies"):
        raise LocalProtocolError("--public-origin is given without --trusted-proxy, the address of the proxy")
    return chosen[0] if chosen else None


def _place(name: str, port: int, usual: int) -> str:
    host = f"[{name}]" if ":" in name else name
    return host if port == usual else f"{host}:{port}"
