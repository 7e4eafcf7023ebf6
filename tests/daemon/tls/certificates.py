"""Certificates for tests, made by an authority of the tests' own."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path

from zwerm.daemon.tls.authority import Authority


def write_certificate(folder: Path, authority: Authority, *names: str) -> tuple[Path, Path]:
    """Put a certificate and its key into a folder, as a tool that renews does: each by a rename."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in zip((folder / "cert.pem", folder / "key.pem"), authority.issue(names, now()), strict=True):
        new = path.with_suffix(".new")
        new.write_bytes(data)
        new.rename(path)
    return folder / "cert.pem", folder / "key.pem"


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def trusting(authority: Authority) -> ssl.SSLContext:
    """What a client has that trusts this authority and nobody else."""
    context = ssl.create_default_context(cadata=authority.pem.decode())
    context.set_alpn_protocols(["http/1.1"])
    return context
