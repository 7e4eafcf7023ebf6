"""DTLS records of 1,163 bytes of payload: sealed and opened by us and by OpenSSL through pyOpenSSL, and set-up."""

from __future__ import annotations

import datetime as dt
import gc
import os
import time
from collections.abc import Callable

from benchmarks.harness import Row, alternate
from benchmarks.processes import resident
from zwerm.core.machine import drain
from zwerm.webrtc.dtls.certificate import Certificate
from zwerm.webrtc.dtls.connection import DTLSConnection, State
from zwerm.webrtc.dtls.event import Config, Role

LEFT, RIGHT = ("192.0.2.1", 1), ("192.0.2.2", 2)
BATCH = 50  # records of one call, as SCTP gives them
OPENSSL = Config(own_records=False)
Pair = tuple[DTLSConnection, DTLSConnection]


def measure(*, quick: bool) -> list[Row]:
    """Microseconds a record, and milliseconds a handshake of both sides."""
    rounds, batches = (1, 20) if quick else (5, 400)
    certificate = Certificate.generate(now=dt.datetime.now(dt.UTC))
    ours, theirs = connected(certificate, Config()), connected(certificate, OPENSSL)
    rows = []
    for verb, side in (("sealed", 0), ("opened", 1)):
        mine, peers = alternate(record(ours, batches, side), {"OpenSSL": record(theirs, batches, side)}, rounds=rounds)
        what = f"DTLS record {verb}, {BATCH} a batch"
        rows.append(Row(what, "us", mine, "OpenSSL's records", peers["OpenSSL"], 2.0, higher_is_better=False))
    handshake, _ = alternate(lambda: handshakes(certificate, 5 if quick else 50), {}, rounds=rounds)
    rows.append(Row("DTLS handshake, both sides", "ms", handshake, "the bar", 10.0, 1.0, higher_is_better=False))
    ours_kb, theirs_kb = (memory(certificate, config, 50 if quick else 300) for config in (Config(), OPENSSL))
    what = "DTLS connection, idle"
    rows.append(Row(what, "kB", ours_kb, "OpenSSL's records", theirs_kb, 2.0, higher_is_better=False))
    return rows


def memory(certificate: Certificate, config: Config, count: int) -> float:
    """Resident kB that one more connection takes."""
    first = [connected(certificate, config) for _ in range(30)]
    gc.collect()
    before = resident(os.getpid())
    more = [connected(certificate, config) for _ in range(count)]
    gc.collect()
    return (resident(os.getpid()) - before) / 1_000 / (2 * len(more)) if first else 0.0


def connected(certificate: Certificate, config: Config) -> Pair:
    """Two connections, both past the first data of the client."""
    expected = [certificate.fingerprint()]
    client = DTLSConnection(Role.CLIENT, certificate, RIGHT, now=0.0, fingerprints=expected, config=config)
    server = DTLSConnection(Role.SERVER, certificate, LEFT, now=0.0, fingerprints=expected, config=config)
    for _ in range(3):
        carry(client, server, LEFT)
        carry(server, client, RIGHT)
    client.send([b"first"])
    carry(client, server, LEFT)
    drain(server)
    if client.state is not State.CONNECTED or server.state is not State.CONNECTED:
        raise RuntimeError(f"no connection: {client.state}, {server.state}")
    return client, server


def carry(sender: DTLSConnection, receiver: DTLSConnection, source: tuple[str, int]) -> None:
    """Take everything that one has to send to the other."""
    for transmit in drain(sender).transmits:
        receiver.receive_datagrams(list(transmit.datagrams()), source, 0.0)


def record(pair: Pair, batches: int, side: int) -> Callable[[], float]:
    """Return what measures one side: 0 sealing, 1 opening."""
    client, server = pair
    payloads = [bytes(client.max_payload)] * BATCH

    def timing() -> float:
        spent = [0.0, 0.0]
        for _ in range(batches):
            began = time.perf_counter()
            client.send(payloads)
            sent = drain(client).transmits
            sealed = time.perf_counter()
            datagrams = [datagram for transmit in sent for datagram in transmit.datagrams()]
            cut = time.perf_counter()
            server.receive_datagrams(datagrams, LEFT, 0.0)
            opened = drain(server).events
            ended = time.perf_counter()
            if sum(len(event.payloads) for event in opened) != BATCH:  # type: ignore[union-attr]
                raise RuntimeError("records were lost")
            spent[0] += sealed - began
            spent[1] += ended - cut
        return spent[side] / (batches * BATCH) * 1e6

    return timing


def handshakes(certificate: Certificate, count: int) -> float:
    """Milliseconds of CPU that one handshake takes on both sides together."""
    began = time.process_time()
    for _ in range(count):
        connected(certificate, Config())
    return (time.process_time() - began) / count * 1e3
