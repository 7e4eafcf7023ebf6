"""Two connections with certificates of their own, and a bare OpenSSL that can be told to misbehave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

from OpenSSL import SSL

from tests.sim.pair import LEFT, RIGHT, Pair
from tests.sim.profile import PERFECT, Profile
from zwerm.core.machine import drain
from zwerm.webrtc.dtls.certificate import Certificate, KeyAlgorithm
from zwerm.webrtc.dtls.connection import DTLSConnection, State
from zwerm.webrtc.dtls.event import ApplicationData, Config, ConnectionFailed, Event, Role
from zwerm.webrtc.dtls.record import DTLS_1_2, Record, parse_datagram

NOW: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
CLIENT_CERTIFICATE: Final = Certificate.generate(now=NOW)
SERVER_CERTIFICATE: Final = Certificate.generate(now=NOW)
RSA_CERTIFICATE: Final = Certificate.generate(KeyAlgorithm.RSA_2048, now=NOW)
STRANGER_CERTIFICATE: Final = Certificate.generate(now=NOW)
OPENSSL_RECORDS: Final = Config(own_records=False)


def client(config: Config | None = None, expects: Certificate | None = SERVER_CERTIFICATE, **options: Any) -> Any:
    """A client at `LEFT` that sends its ClientHello to `RIGHT`."""
    fingerprints = None if expects is None else [expects.fingerprint()]
    options = {"now": 0.0, "fingerprints": fingerprints, "config": config} | options
    return DTLSConnection(Role.CLIENT, options.pop("certificate", CLIENT_CERTIFICATE), RIGHT, **options)


def server(config: Config | None = None, expects: Certificate | None = CLIENT_CERTIFICATE, **options: Any) -> Any:
    """A server at `RIGHT` that waits for `LEFT`."""
    fingerprints = None if expects is None else [expects.fingerprint()]
    options = {"now": 0.0, "fingerprints": fingerprints, "config": config} | options
    return DTLSConnection(Role.SERVER, options.pop("certificate", SERVER_CERTIFICATE), LEFT, **options)


def pair(left: Any = None, right: Any = None, profile: Profile = PERFECT, seed: int | str = 0) -> Pair[Event]:
    return Pair(left or client(), right or server(), profile=profile, seed=seed)


def connected(left: Any = None, right: Any = None) -> Pair[Event]:
    """Two connections past their handshakes, their `Handshaked` taken."""
    both = pair(left, right)
    settle(both)
    assert both.left.machine.state is both.right.machine.state is State.CONNECTED
    both.left.events.clear()
    both.right.events.clear()
    return both


def settle(both: Pair[Event], limit: float = 31.0) -> None:
    """Run until neither side is in its handshake."""
    machines = (both.left.machine, both.right.machine)
    both.drive_while(lambda: any(one.state is State.CONNECTING for one in machines), limit)
    both.run_for(0.5)  # what is on its way arrives


def payloads(events: list[Event]) -> list[bytes]:
    return [payload for event in events if isinstance(event, ApplicationData) for payload in event.payloads]


def failure(events: list[Event]) -> ConnectionFailed:
    (failed,) = [event for event in events if isinstance(event, ConnectionFailed)]
    return failed


def sent(machine: Any) -> list[bytes]:
    """Take the datagrams that a machine has to send."""
    return [datagram for transmit in drain(machine).transmits for datagram in transmit.datagrams()]


def records(datagrams: list[bytes]) -> list[Record]:
    return [record for datagram in datagrams for record in parse_datagram(datagram)]


class BareOpenSSL:
    """OpenSSL by itself, with whatever version, options and certificate a test wants."""

    def __init__(
        self,
        role: Role,
        certificate: Certificate | None,
        *,
        version: int = DTLS_1_2,
        options: int = 0,
        ciphers: str = "",
    ) -> None:
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_min_proto_version(version)
        context.set_max_proto_version(version)
        context.set_options(SSL.OP_NO_QUERY_MTU | SSL.OP_NO_TICKET | options)
        context.set_cipher_list((ciphers or "ALL:@SECLEVEL=0").encode())
        if certificate is not None:
            context.use_certificate(certificate.x509)
            context.use_privatekey(certificate.key)
        context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
        self.ssl = SSL.Connection(context, None)
        self.ssl.set_ciphertext_mtu(1_200)
        if role is Role.CLIENT:
            self.ssl.set_connect_state()
        else:
            self.ssl.set_accept_state()
        self.failure: SSL.Error | None = None

    def start(self) -> list[bytes]:
        self._step()
        return list(self._output())

    def receive(self, record: bytes) -> list[bytes]:
        """Feed one record; return the records it answers with."""
        self.ssl.bio_write(record)
        self._step()
        return list(self._output())

    def read(self, record: bytes) -> bytes | None:
        """Feed one record after the handshake; return the payload, None when it was not taken."""
        self.ssl.bio_write(record)
        try:
            return self.ssl.recv(20_000)
        except SSL.WantReadError:
            return None

    def write(self, payload: bytes) -> bytes:
        self.ssl.send(payload)
        return self.ssl.bio_read(20_000)

    def _step(self) -> None:
        try:
            self.ssl.do_handshake()
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            self.failure = error

    def _output(self) -> Iterator[bytes]:
        try:
            output = self.ssl.bio_read(65_536)
        except SSL.WantReadError:
            return
        yield from (record.serialize() for record in parse_datagram(output))


def shake_hands(machine: Any, bare: BareOpenSSL, *, is_client: bool) -> None:
    """Carry records between one of our connections and a bare OpenSSL until neither has more to say."""
    address = RIGHT if is_client else LEFT
    to_bare = [record.serialize() for record in records(sent(machine))]
    to_us = [] if is_client else bare.start()
    while to_bare or to_us:
        for datagram in to_us:
            machine.receive_datagram(datagram, address, 0.0)
        to_us = []
        to_bare += [record.serialize() for record in records(sent_keeping_events(machine))]
        for record in to_bare:
            to_us += bare.receive(record)
        to_bare = []


def sent_keeping_events(machine: Any) -> list[bytes]:
    """Take the datagrams and leave the events."""
    datagrams: list[bytes] = []
    while (transmit := machine.next_transmit()) is not None:
        datagrams += transmit.datagrams()
    return datagrams
