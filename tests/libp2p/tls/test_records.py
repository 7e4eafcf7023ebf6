"""TLS records in batches, however cut; damage, replay, truncation and the farewell."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.libp2p.tls.sides import secured
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.libp2p.secure import Records


def pair() -> tuple[Records, Records]:
    alice, bob = secured()
    return alice.records, bob.records


def received(records: Records, data: bytes | bytearray) -> bytes:
    return b"".join(records.decrypt_untrusted(data))


SHARED = pair()


@given(
    st.lists(st.integers(0, 150_000), max_size=6), st.lists(st.integers(0, 400_000), max_size=6), st.integers(0, 2**32)
)
def test_chunks_come_out_as_they_went_in_however_both_are_cut(sizes: list[int], cuts: list[int], seed: int) -> None:
    sender, receiver = SHARED
    pattern = seed.to_bytes(5, "big")
    chunks = [memoryview((pattern * (size // 5 + 1))[:size]) for size in sizes]
    wire = bytes(sender.encrypt(chunks))
    places = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    out = b"".join(received(receiver, wire[start:end]) for start, end in itertools.pairwise(places))
    assert out == b"".join(chunks)


def test_small_chunks_share_a_record() -> None:
    sender, _ = pair()
    one = len(sender.encrypt([b"x" * 500]))
    assert len(sender.encrypt([b"x" * 5] * 100)) == one


def test_what_is_sent_is_not_changed_or_kept() -> None:
    sender, receiver = pair()
    data = bytearray(b"x" * 100_000)
    wire = sender.encrypt([data])
    data.clear()
    assert received(receiver, wire) == b"x" * 100_000


@pytest.mark.parametrize("kind", ["replayed", "left out", "swapped", "one bit"])
def test_records_have_an_order_and_are_whole(kind: str) -> None:
    sender, receiver = pair()
    first, second = (bytes(sender.encrypt([text])) for text in (b"first", b"second"))
    flipped = first[:-1] + bytes((first[-1] ^ 1,))
    data = {"replayed": first + first, "left out": second, "swapped": second + first, "one bit": flipped}[kind]
    with pytest.raises(WireError, match="TLS: a record is forged, damaged, replayed or out of order"):
        receiver.decrypt_untrusted(data)
    with pytest.raises(WireError, match="TLS: "):
        receiver.decrypt_untrusted(first)
    with pytest.raises(WireError, match="TLS: "):
        receiver.check_end_untrusted()


def test_a_broken_record_is_answered_with_an_alert() -> None:
    sender, receiver = pair()
    with pytest.raises(WireError):
        receiver.decrypt_untrusted(b"\x17\x03\x03\x00\x20" + bytes(32))
    alert = receiver.encrypt(())
    with pytest.raises(WireError, match=r"TLS: the peer gave up \(.*alert bad record mac\)"):
        sender.decrypt_untrusted(alert)


def test_a_record_over_the_limit_is_refused_by_its_header() -> None:
    _, receiver = pair()
    with pytest.raises(WireError, match=r"TLS: .*(too long|length)"):
        receiver.decrypt_untrusted(b"\x17\x03\x03\xff\xff")


def test_a_farewell_ends_a_direction() -> None:
    sender, receiver = pair()
    wire = bytes(sender.encrypt([b"last"])) + sender.close()
    assert sender.close() == b""
    assert received(receiver, wire) == b"last"
    receiver.check_end_untrusted()
    assert receiver.decrypt_untrusted(b"whatever follows") == []
    with pytest.raises(LocalProtocolError, match="the TLS channel is closed"):
        sender.encrypt([b"more"])


def test_an_end_without_a_farewell_is_an_end() -> None:
    sender, receiver = pair()
    assert received(receiver, sender.encrypt([b"whole"])) == b"whole"
    receiver.check_end_untrusted()


def test_after_a_farewell_the_other_direction_goes_on() -> None:
    sender, receiver = pair()
    assert received(receiver, sender.close()) == b""
    assert received(sender, receiver.encrypt([b"still here"])) == b"still here"
