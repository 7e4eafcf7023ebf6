"""What TLS says of itself once data flows (RFC 8446 sections 4.6, 5.2 to 5.5 and 6), against OpenSSL and hand-made."""

from __future__ import annotations

import contextlib
import ssl

import pytest
from OpenSSL import SSL

from tests.libp2p.tls.sides import ALICE, identity, side
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.libp2p.secure import Secured
from zwerm.libp2p.tls import records as module
from zwerm.libp2p.tls.handshake import drain
from zwerm.libp2p.tls.record_keys import IV_SIZE, SUITES, RecordKeys
from zwerm.libp2p.tls.records import MAX_IDLE_RECORDS, MAX_PLAINTEXT, TlsRecords

ALERT, HANDSHAKE, DATA = 21, 22, 23
SECRET, OTHER = bytes(32), bytes([1]) * 32
SUITE = "TLS_AES_128_GCM_SHA256"
UPDATE, UPDATE_BOTH = bytes((24, 0, 0, 1, 0)), bytes((24, 0, 0, 1, 1))


class Peer:
    """Seals whatever a test wants under the keys that `records` receives with."""

    def __init__(self, suite: str = SUITE) -> None:
        size = SUITES[suite][2].digest_size
        self.keys = RecordKeys(suite, SECRET[:1] * size)
        self.records = TlsRecords(RecordKeys(suite, OTHER[:1] * size), RecordKeys(suite, SECRET[:1] * size))
        self.reader = TlsRecords(RecordKeys(suite, SECRET[:1] * size), RecordKeys(suite, OTHER[:1] * size))

    def seal(self, content_type: int, content: bytes, padding: int = 0) -> bytes:
        inner = content + bytes((content_type,)) + bytes(padding)
        header = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2, "big")
        nonce = (self.keys.iv ^ self.keys.number).to_bytes(IV_SIZE, "big")
        self.keys.number += 1
        return header + self.keys.aead.encrypt(nonce, inner, header)

    def give(self, *sealed: bytes) -> bytes:
        return b"".join(map(bytes, self.records.decrypt_untrusted(b"".join(sealed))))


@pytest.mark.parametrize("suite", SUITES)
def test_every_suite_carries_data_both_ways_and_updates_its_keys(suite: str) -> None:
    peer = Peer(suite)
    sealed = [peer.seal(DATA, b"one"), peer.seal(HANDSHAKE, UPDATE_BOTH)]
    peer.keys.update()
    assert peer.give(*sealed, peer.seal(DATA, b"two")) == b"onetwo"
    answered = peer.records.encrypt([b"three"])
    assert b"".join(map(bytes, peer.reader.decrypt_untrusted(answered))) == b"three"
    assert peer.records._sending.number == 1  # under the new key


def test_one_answer_is_enough_for_many_requests_of_new_keys() -> None:
    peer = Peer()
    for _ in range(5):
        sealed = peer.seal(HANDSHAKE, UPDATE_BOTH)
        peer.keys.update()
        assert peer.give(sealed) == b""
    answer = peer.records.encrypt(())
    assert len(answer) == 5 + 5 + 1 + 16
    assert peer.records.encrypt(()) == b""


def test_our_keys_are_renewed_before_they_are_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEY_USE", 3)
    peer = Peer()
    for number in range(20):
        text = str(number).encode()
        assert b"".join(map(bytes, peer.reader.decrypt_untrusted(peer.records.encrypt([text])))) == text
    assert peer.records._sending.number <= 3


def test_padding_is_taken_off() -> None:
    peer = Peer()
    assert peer.give(peer.seal(DATA, b"padded\0", 300), peer.seal(DATA, b"", 5), peer.seal(DATA, b"next")) == (
        b"padded\0next"
    )


def test_tickets_are_passed_over_however_they_are_cut() -> None:
    peer = Peer()
    ticket = bytes((4, 0, 1, 0)) + bytes(256)
    sealed = [peer.seal(HANDSHAKE, part) for part in (ticket + ticket[:2], ticket[2:100], ticket[100:])]
    assert peer.give(*sealed, peer.seal(DATA, b"data")) == b"data"


@pytest.mark.parametrize(
    ("content_type", "content", "reason"),
    [
        (HANDSHAKE, b"", "out of place"),
        (HANDSHAKE, bytes((24, 0, 0, 1, 2)), "key update"),
        (HANDSHAKE, bytes((24, 0, 0, 2, 0, 0)), "key update"),
        (HANDSHAKE, UPDATE + b"\4", "key update"),
        (HANDSHAKE, bytes((4, 255, 255, 255)), "handshake message 4 of 16777215 bytes"),
        (HANDSHAKE, bytes((13, 0, 0, 0)), "handshake message 13"),
        (20, b"\1", "record of type 20"),
        (0, b"\0" * 40, "record of type 0"),
        (DATA, bytes(MAX_PLAINTEXT + 1), "length of 16385 bytes"),
        (ALERT, b"\2", "alert of 1 bytes"),
        (ALERT, bytes((2, 80)), "the peer gave up .alert internal error"),
        (ALERT, bytes((2, 250)), "the peer gave up .alert 250"),
    ],
)
def test_what_has_no_place_ends_the_channel(content_type: int, content: bytes, reason: str) -> None:
    peer = Peer()
    with pytest.raises(WireError, match=f"TLS: .*{reason}"):
        peer.give(peer.seal(content_type, content))
    with pytest.raises(WireError, match=reason):
        peer.give(peer.seal(DATA, b"more"))


def test_data_within_a_handshake_message_ends_the_channel() -> None:
    peer = Peer()
    with pytest.raises(WireError, match="out of place"):
        peer.give(peer.seal(HANDSHAKE, bytes((4, 0, 1, 0))), peer.seal(DATA, b"data"))


@pytest.mark.parametrize("kind", ["empty", "key updates", "tickets", "warnings"])
def test_records_without_data_are_counted(kind: str) -> None:
    peer = Peer()

    def idle() -> bytes:
        if kind == "empty":
            return peer.seal(DATA, b"")
        if kind == "warnings":
            return peer.seal(ALERT, bytes((1, 90)))
        if kind == "tickets":
            return peer.seal(HANDSHAKE, bytes((4, 0, 0, 1, 0)))
        sealed = peer.seal(HANDSHAKE, UPDATE)
        peer.keys.update()
        return sealed

    for _ in range(3):
        for _ in range(MAX_IDLE_RECORDS):
            assert peer.give(idle()) == b""
        assert peer.give(peer.seal(DATA, b"x")) == b"x"
    for _ in range(MAX_IDLE_RECORDS):
        peer.give(idle())
    one_more = idle()
    with pytest.raises(WireError, match="in a row without data"):
        peer.give(one_more)


def test_nothing_is_encrypted_after_our_farewell_but_the_peer_may_ask_for_keys() -> None:
    peer = Peer()
    peer.records.close()
    sealed = peer.seal(HANDSHAKE, UPDATE_BOTH)
    peer.keys.update()
    assert peer.give(sealed, peer.seal(DATA, b"still")) == b"still"
    assert peer.records.encrypt(()) == b""
    with pytest.raises(LocalProtocolError):
        peer.records.encrypt([b"x"])


@pytest.mark.parametrize("is_initiator", [True, False])
def test_openssl_understands_and_is_understood(*, is_initiator: bool) -> None:
    """The other side is all OpenSSL; its server gives tickets."""
    ours = side(ALICE, is_initiator=is_initiator)
    context = SSL.Context(SSL.TLS_METHOD)
    own = identity(ALICE)
    context.use_privatekey(own._private)
    context.use_certificate(own.certificate)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    context.set_alpn_protos([b"libp2p"])
    context.set_alpn_select_callback(lambda *_: b"libp2p")
    theirs = SSL.Connection(context, None)
    theirs.set_accept_state() if is_initiator else theirs.set_connect_state()
    secured: Secured | None = None
    rest = b""
    for _ in range(6):
        with contextlib.suppress(SSL.WantReadError):
            theirs.do_handshake()
        if to_us := drain(theirs):
            used = ours.receive_data(to_us, 0.0)
            rest += to_us[used:]
        if to_them := ours.data_to_send():
            theirs.bio_write(to_them)
        event = ours.next_event()
        assert event is None or isinstance(event, Secured), event
        secured = event or secured
    assert secured is not None
    records = secured.records
    assert bool(rest) == is_initiator
    assert list(records.decrypt_untrusted(rest)) == []
    data = bytes(range(256)) * 1_000
    for _ in range(2):
        theirs.bio_write(bytes(records.encrypt([data])))
        got = b""
        while len(got) < len(data):
            got += theirs.recv(65_536)
        assert got == data
        theirs.send(data[:9_000])
        assert b"".join(map(bytes, records.decrypt_untrusted(drain(theirs)))) == data[:9_000]
    theirs.bio_write(records.close())
    with pytest.raises(SSL.ZeroReturnError):
        theirs.recv(10)
    theirs.shutdown()
    assert list(records.decrypt_untrusted(drain(theirs))) == []
    records.check_end_untrusted()


def test_the_standard_library_has_the_suites_we_know() -> None:
    names = {cipher["name"] for cipher in ssl.create_default_context().get_ciphers() if cipher["protocol"] == "TLSv1.3"}
    assert names <= set(SUITES)
