"""Pebble, the ACME server that Let's Encrypt tests clients with, and a name server for it, on an address of their own.

All of 127.0.0.0/8 is this machine: each test takes an address there, so that fixed ports meet nobody else's.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.daemon.tls.certificates import now, trusting, write_certificate
from zwerm.daemon.tls.authority import Authority

VALIDATION = 5002  # the port on which it asks


class Pebble(NamedTuple):
    address: str  # where everything is, also what every name leads to
    directory: str  # URL
    trusted: Path  # what its own HTTPS is checked against
    authority: Authority


@contextmanager
def running_pebble(folder: Path, *, lifetime: int = 86_400) -> Iterator[Pebble]:
    """Start both; `lifetime` is of the certificates that it makes, in seconds.

    It refuses no nonce for nothing, as it would by itself: the client library tries such a request again only once.
    """
    address = f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}"
    authority = Authority.make("pebble", now())
    certificate, key = write_certificate(folder, authority, address)
    trusted = folder / "trusted.pem"
    trusted.write_bytes(authority.pem)
    configuration = {
        "listenAddress": f"{address}:14000",
        "managementListenAddress": f"{address}:15000",
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": VALIDATION,
        "tlsPort": 5001,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
        "certificateValidityPeriod": lifetime,
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": configuration}))
    environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
    names = [f"-dns01={address}:8053", "-http01=", "-https01=", "-tlsalpn01=", f"-management={address}:8055"]
    commands = (
        ["pebble-challtestsrv", *names, f"-defaultIPv4={address}", "-defaultIPv6="],
        ["pebble", "-config", str(folder / "pebble.json"), f"-dnsserver={address}:8053"],
    )
    processes = []
    try:
        for command in commands:
            with (folder / f"{command[0]}.log").open("wb") as log:
                processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT))
        pebble = Pebble(address, f"https://{address}:14000/dir", trusted, authority)
        _wait_for(pebble, processes)
        yield pebble
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _wait_for(pebble: Pebble, processes: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert all(process.poll() is None for process in processes), "pebble ended"
        try:
            with urllib.request.urlopen(pebble.directory, context=trusting(pebble.authority), timeout=5):
                return
        except OSError:
            assert time.monotonic() < deadline, "pebble does not answer"
            time.sleep(0.05)
