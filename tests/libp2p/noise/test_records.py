"""libp2p specs, "noise/README.md", "Wire Format": records in batches, however cut, and every way to damage them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.libp2p.noise.pattern import MAX_NONCE
from zwerm.libp2p.noise.records import MAX_PLAINTEXT, NoiseRecords

KEYS = (bytes(range(32)), bytes(range(32, 64)))


def pair() -> tuple[NoiseRecords, NoiseRecords]:
    return NoiseRecords(*KEYS), NoiseRecords(*KEYS[::-1])


def received(records: NoiseRecords, data: bytes | bytearray | memoryview) -> bytes:
    return b"".join(records.decrypt_untrusted(data))


def frames(data: bytes | bytearray) -> list[bytes]:
    found, position = [], 0
    while position < len(data):
        size = 2 + int.from_bytes(data[position : position + 2], "big")
        found.append(bytes(data[position : position + size]))
        position += size
    return found


@pytest.mark.parametrize(
    ("size", "records"),
    [(0, 0), (1, 1), (MAX_PLAINTEXT, 1), (MAX_PLAINTEXT + 1, 2), (1_000_000, 16)],
    ids=["nothing", "a byte", "one full", "a byte more", "a million"],
)
def test_what_is_sent_is_cut_into_as_few_records_as_can_be(size: int, records: int) -> None:
    sender, receiver = pair()
    data = bytes(index % 251 for index in range(size))
    wire = sender.encrypt([data])
    assert len(frames(wire)) == records
    assert len(wire) == size + 18 * records
    assert received(receiver, wire) == data


@given(
    st.lists(st.integers(0, 150_000), max_size=6), st.lists(st.integers(0, 400_000), max_size=6), st.integers(0, 2**32)
)
def test_chunks_come_out_as_they_went_in_however_both_are_cut(sizes: list[int], cuts: list[int], seed: int) -> None:
    sender, receiver = pair()
    pattern = seed.to_bytes(5, "big")
    chunks = [(pattern * (size // 5 + 1))[:size] for size in sizes]
    wire = sender.encrypt(chunks)
    places = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    out = b"".join(received(receiver, bytes(wire[start:end])) for start, end in itertools.pairwise(places))
    assert out == b"".join(chunks)
    receiver.check_end_untrusted()


def test_records_come_out_byte_by_byte() -> None:
    sender, receiver = pair()
    wire = sender.encrypt([b"one"]) + sender.encrypt([b"two", b"three"])
    assert [out for byte in wire for out in map(bytes, receiver.decrypt_untrusted(bytes((byte,))))] == [
        b"one",
        b"twothree",
    ]


def test_small_records_are_decrypted_where_they_were_received_and_large_ones_into_bytes_of_their_own() -> None:
    sender, receiver = pair()
    buffer = bytearray(sender.encrypt([b"a" * 1_000, b"b" * 70_000]))
    large, small = receiver.decrypt_untrusted(memoryview(buffer))
    assert isinstance(large.obj, bytes)
    assert small.obj is buffer
    assert b"".join((large, small)) == b"a" * 1_000 + b"b" * 70_000


def test_what_is_sent_is_not_changed_or_kept() -> None:
    sender, receiver = pair()
    data = bytearray(b"x" * 100_000)
    wire = sender.encrypt([memoryview(data)[:50_000], memoryview(data)[50_000:]])
    assert data == b"x" * 100_000
    data.clear()  # nothing holds a view of it
    assert received(receiver, wire) == b"x" * 100_000


def test_a_record_of_nothing_is_taken_and_gives_nothing() -> None:
    sender, receiver = pair()
    empty = sender._sealer.encrypt(bytes(12), b"", None)
    sender._sent = 1
    wire = len(empty).to_bytes(2, "big") + empty + bytes(sender.encrypt([b"after"]))
    assert [bytes(view) for view in receiver.decrypt_untrusted(wire)] == [b"after"]


@pytest.mark.parametrize("size", range(16))
def test_a_record_too_short_for_its_tag_is_refused(size: int) -> None:
    _, receiver = pair()
    with pytest.raises(WireError, match=f"noise record 0 of {size} bytes, expected at least 16"):
        receiver.decrypt_untrusted(size.to_bytes(2, "big") + bytes(size))


def damaged(kind: str, wire: list[bytes]) -> bytes:
    match kind:
        case "replayed":
            return wire[0] + wire[0]
        case "left out":
            return wire[1]
        case "swapped":
            return wire[1] + wire[0]
        case "cut in its middle":
            return (len(wire[0]) - 3).to_bytes(2, "big") + wire[0][2:-1]
        case "made longer":
            return (len(wire[0]) - 1).to_bytes(2, "big") + wire[0][2:] + b"\0"
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", ["replayed", "left out", "swapped", "cut in its middle", "made longer"])
def test_records_have_an_order_and_are_whole(kind: str) -> None:
    sender, receiver = pair()
    data = damaged(kind, [bytes(sender.encrypt([text])) for text in (b"first", b"second")])
    for _ in range(2):
        with pytest.raises(WireError, match="is forged, damaged, replayed or out of order"):
            receiver.decrypt_untrusted(data)
    with pytest.raises(WireError, match="is forged"):
        receiver.check_end_untrusted()


def test_each_bit_of_a_record_counts() -> None:
    wire = bytes(pair()[0].encrypt([b"text"]))
    for bit in range(16, len(wire) * 8):
        changed = bytearray(wire)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError, match="noise record 0 is forged"):
            pair()[1].decrypt_untrusted(changed)


def test_a_sender_does_not_understand_its_own_records() -> None:
    sender, _ = pair()
    with pytest.raises(WireError, match="forged"):
        sender.decrypt_untrusted(sender.encrypt([b"reflected"]))


@pytest.mark.parametrize("left", [1, 2, 10, 20], ids=["in the length", "behind it", "in the text", "in the tag"])
def test_the_end_within_a_record_is_a_truncation(left: int) -> None:
    sender, receiver = pair()
    receiver.decrypt_untrusted(sender.encrypt([b"whole"]))
    assert received(receiver, bytes(sender.encrypt([b"partial"])[:left])) == b""
    for _ in range(2):
        with pytest.raises(WireError, match=f"stopped within noise record 1, {left} bytes of it"):
            receiver.check_end_untrusted()


def test_a_record_that_never_ends_takes_no_more_than_its_length() -> None:
    _, receiver = pair()
    receiver.decrypt_untrusted(b"\xff\xff")
    for _ in range(65_534):
        receiver.decrypt_untrusted(b"\0")
    assert len(receiver._partial) == 65_536
    with pytest.raises(WireError, match="record 0 is forged"):
        receiver.decrypt_untrusted(b"\0")
    assert not receiver._partial


def test_a_key_ends_before_its_nonces_repeat() -> None:
    sender, receiver = pair()
    sender._sent = receiver._received = MAX_NONCE - 1
    last = sender.encrypt([b"last"])
    assert received(receiver, last) == b"last"
    with pytest.raises(LocalProtocolError, match=r"has sent \d+ records, the last"):
        sender.encrypt([b"one more"])
    with pytest.raises(WireError, match="more noise records than its key allows"):
        receiver.decrypt_untrusted(bytes(last))


def test_nothing_is_sent_after_closing() -> None:
    sender, _ = pair()
    assert sender.close() == b""
    assert sender.encrypt([]) == b""
    with pytest.raises(LocalProtocolError, match="closed"):
        sender.encrypt([b"late"])
