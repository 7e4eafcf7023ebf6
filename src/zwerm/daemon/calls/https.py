"""HTTPS of `zwerm signal`: a certificate from files (`--cert`), or one that an ACME authority makes (`--domain`)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.calls.options import SignalOptions
from zwerm.daemon.http.server import Handler
from zwerm.daemon.tls.certificate import ServerTls
from zwerm.daemon.tls.plain import PlainHandler
from zwerm.daemon.tls.source import CertificateFiles, CertificateSource
from zwerm.daemon.turn.options import host_and_port
from zwerm.node.address import Address

_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 -- what --domain asks for


class SignalHttps:
    """Which way was asked for, and what comes of it."""

    def __init__(self, options: SignalOptions) -> None:
        """Read the options.

        Raises:
            LocalProtocolError: they contradict each other, or name files that cannot be used.
        """
        self.tls = ServerTls()
        self.challenges: dict[str, str] = {}
        self._options = options
        self._source = self._make_source()
        self._port = 443

    def _make_source(self) -> CertificateSource | None:
        options = self._options
        if options.domain and options.cert:
            raise LocalProtocolError("--domain and --cert are two ways to HTTPS; give one")
        if options.key and not options.cert:
            raise LocalProtocolError("--key is given without --cert: a key alone proves nothing")
        if options.cert:
            files = CertificateFiles(Path(options.cert), Path(options.key) if options.key else None)
            self.tls.use(files.first)
            return files
        if options.domain:
            from zwerm.daemon.tls.acme import AcmeCertificate

            return AcmeCertificate(
                Path(options.acme_folder),
                options.domain.lower(),
                options.acme_directory,
                self.challenges,
                trusted=Path(options.acme_trusted) if options.acme_trusted else None,
            )
        return None

    @property
    def is_wanted(self) -> bool:
        return self._source is not None

    def asked(self, default: int) -> dict[str, Address]:
        """Where to listen, by listener; `default` is the port without HTTPS for a domain."""
        options = self._options
        if not options.domain:
            host, port = host_and_port(options.listen, "listen", default)
            return {"signal": Address(host or "127.0.0.1", port)}
        places = {
            "signal": host_and_port(options.listen, "listen", 443),
            "plain": host_and_port(options.plain, "plain", 80),
        }
        return {name: Address(host or _EVERYWHERE, port) for name, (host, port) in places.items()}

    def url(self, bound: Address) -> str:
        """The address of the service, which listens there."""
        if not self.is_wanted:
            return bound.url
        self._port = bound.port
        if not self._options.domain:
            return bound.url.replace("http:", "https:", 1)
        return f"https://{self._options.domain.lower()}" + ("" if bound.port == 443 else f":{bound.port}")

    def plain_handler(self) -> Handler:
        """What answers on the plain listener: the authority's questions, and the way to HTTPS."""
        return PlainHandler(self.challenges, lambda: {self._options.domain.lower()}, lambda: self._port)

    def keep(self) -> asyncio.Task[None] | None:
        """Have certificates from now on, the first one as soon as there is one; cancel it at the end."""
        return None if self._source is None else asyncio.create_task(self._source.keep(self.tls.use))
