"""Our own records: what RFC 6347 and RFC 5288 ask of them, and that OpenSSL reads what we write and the other way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webrtc.dtls.peers import CLIENT_CERTIFICATE, BareOpenSSL
from zwerm.core.errors import ResourceLimitError
from zwerm.webrtc.dtls.event import Role
from zwerm.webrtc.dtls.record import DTLS_1_2, HEADER_SIZE, MAX_SEQUENCE, ContentType, Record, parse_datagram
from zwerm.webrtc.dtls.records import (
    EPOCH,
    MAX_PLAINTEXT,
    MAX_RUN,
    MAX_RUN_SIZE,
    OPPOSITE,
    Opener,
    Other,
    Run,
    Sealer,
    explicit_nonce,
    group,
    unseal,
)
from zwerm.webrtc.dtls.suite import (
    AES_128_GCM,
    AES_256_GCM,
    CHACHA20_POLY1305,
    SUITES,
    DirectionKeys,
    Secrets,
    Suite,
)

ALL = pytest.mark.parametrize(
    "suite", [AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305], ids=["AES-128", "AES-256", "ChaCha20"]
)
DATA = ContentType.APPLICATION_DATA


def keys(suite: Suite) -> DirectionKeys:
    return DirectionKeys(bytes(range(suite.key_size)), bytes(range(suite.fixed_iv_size)))


def sealer(suite: Suite = AES_128_GCM, sequence: int = 1, first_nonce: int = 7) -> Sealer:
    return Sealer(suite, keys(suite), sequence=sequence, first_nonce=first_nonce)


def opener(suite: Suite = AES_128_GCM) -> Opener:
    return Opener(suite, keys(suite))


def read(reader: Opener, *datagrams: bytes) -> list[bytes]:
    payloads: list[bytes] = []
    assert reader.open_datagrams(datagrams, payloads) == []
    return payloads


def split(runs: list[Run]) -> list[bytes]:
    datagrams: list[bytes] = []
    for run in runs:
        size = run.segment_size or len(run.data)
        datagrams += [run.data[start : start + size] for start in range(0, len(run.data), size)]
    return datagrams


@ALL
@given(
    payload=st.binary(min_size=1, max_size=300),
    sequence=st.integers(0, MAX_SEQUENCE - 1),
    nonce=st.integers(0, (1 << 64) - 1),
)
def test_what_is_sealed_is_opened(suite: Suite, payload: bytes, sequence: int, nonce: int) -> None:
    record = sealer(suite, sequence, nonce).seal(DATA, payload)
    assert len(record) == HEADER_SIZE + suite.overhead + len(payload)
    assert read(opener(suite), record) == [payload]


@given(st.lists(st.binary(max_size=40), max_size=150))
def test_a_batch_is_what_single_records_are(payloads: list[bytes]) -> None:
    one, many = sealer(), sealer()
    assert split(many.seal_batch(payloads)) == [one.seal(DATA, payload) for payload in payloads]
    assert many.sequence == one.sequence
    assert many.seal(DATA, b"next") == one.seal(DATA, b"next")


def test_payloads_of_one_size_go_in_one_run_with_a_shorter_one_at_its_end() -> None:
    runs = sealer().seal_batch([b"four", b"four", b"two", b"two", b"longer", b""])
    overhead = HEADER_SIZE + AES_128_GCM.overhead
    assert [(len(run.data) - 0, run.segment_size) for run in runs] == [
        (3 * overhead + 11, overhead + 4),
        (overhead + 3, None),
        (2 * overhead + 6, overhead + 6),
    ]


@pytest.mark.parametrize("size", [10, 1_163, 16_384], ids=lambda size: f"{size} bytes")
def test_a_run_is_no_longer_than_the_kernel_takes(size: int) -> None:
    runs = sealer().seal_batch([bytes(size)] * 200)
    assert max(len(run.data) for run in runs) <= MAX_RUN_SIZE
    assert max(len(run.data) // (run.segment_size or len(run.data)) for run in runs) <= MAX_RUN
    assert len(split(runs)) == 200


@given(st.lists(st.integers(1, 30), max_size=200))
def test_records_that_are_ready_are_grouped_likewise(sizes: list[int]) -> None:
    records = [bytes([number % 256]) * size for number, size in enumerate(sizes)]
    assert split(group(records)) == records


def test_long_records_are_grouped_below_the_largest_datagram() -> None:
    assert [len(run.data) for run in group([bytes(16_000)] * 5)] == [64_000, 16_000]
    assert [len(run.data) for run in group([b"a"] * 65)] == [64, 1]


def test_sequence_numbers_and_nonces_count_up_and_never_come_again() -> None:
    writer = sealer(sequence=5, first_nonce=OPPOSITE - 2)  # the nonces pass the end of their circle
    datagrams = [writer.seal(ContentType.ALERT, b"\1\0"), *split(writer.seal_batch([b"x"] * 5)), writer.seal(DATA, b"")]
    written = [record for datagram in datagrams for record in parse_datagram(datagram)]
    assert [record.sequence for record in written] == list(range(5, 12))
    assert {record.epoch for record in written} == {EPOCH}
    assert [explicit_nonce(record.fragment) for record in written] == [
        (1 << 64) - 2,
        (1 << 64) - 1,
        *range(5),
    ]


def test_the_last_sequence_number_ends_the_connection_and_changes_nothing() -> None:
    writer = sealer(sequence=MAX_SEQUENCE - 2)
    with pytest.raises(ResourceLimitError):
        writer.seal_batch([b""] * 3)
    assert len(writer.seal_batch([b""] * 2)) == 1
    with pytest.raises(ResourceLimitError):
        writer.seal(DATA, b"")


@ALL
def test_one_changed_bit_anywhere_is_noticed(suite: Suite) -> None:
    record = sealer(suite).seal(DATA, b"payload")
    reader = opener(suite)
    for position in range(len(record) * 8):
        changed = bytearray(record)
        changed[position // 8] ^= 1 << position % 8
        payloads: list[bytes] = []
        assert reader.open_datagrams([bytes(changed)], payloads) == []
        assert payloads == []
    assert read(reader, record) == [b"payload"]
    assert reader.forged + reader.strange == len(record) * 8


@ALL
def test_every_record_cut_short_is_dropped(suite: Suite) -> None:
    record = sealer(suite).seal(DATA, b"payload")
    assert read(opener(suite), *(record[:size] for size in range(len(record)))) == []


def test_an_empty_record_carries_nothing() -> None:
    reader = opener()
    assert read(reader, sealer().seal(DATA, b"")) == []
    assert (reader.forged, reader.strange, reader.replayed) == (0, 0, 0)


def test_a_record_comes_once() -> None:
    first, second = split(sealer().seal_batch([b"first", b"second"]))
    reader = opener()
    assert read(reader, second, first, second, first, first) == [b"second", b"first"]
    assert reader.replayed == 3


def test_a_forged_record_does_not_move_the_window() -> None:
    genuine = sealer(sequence=3).seal(DATA, b"genuine")
    forged = Record(DATA, DTLS_1_2, EPOCH, 1 << 40, bytes(60)).serialize()
    reader = opener()
    assert read(reader, forged, genuine) == [b"genuine"]
    assert reader.forged == 1


@pytest.mark.parametrize("epoch", [0, 2, 0xFFFF], ids=lambda epoch: f"epoch {epoch}")
def test_records_of_another_epoch_are_dropped(epoch: int) -> None:
    (record,) = parse_datagram(sealer().seal(DATA, b"x"))
    reader = opener()
    assert read(reader, record._replace(epoch=epoch).serialize()) == []
    assert reader.strange == 1


def test_a_payload_above_the_limit_of_tls_is_dropped() -> None:
    writer, reader = sealer(), opener()
    longest, longer = (writer.seal(DATA, bytes(size)) for size in (MAX_PLAINTEXT, MAX_PLAINTEXT + 1))
    assert [len(payload) for payload in read(reader, longest, longer)] == [MAX_PLAINTEXT]


def test_several_records_in_a_datagram_and_what_is_between_the_data() -> None:
    writer = sealer()
    datagram = writer.seal(DATA, b"a") + writer.seal(ContentType.ALERT, b"\1\0") + writer.seal(DATA, b"b") + b"rest"
    payloads: list[bytes] = []
    assert opener().open_datagrams([datagram], payloads) == [Other(ContentType.ALERT, b"\1\0", 1)]
    assert payloads == [b"a", b"b"]


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_datagrams_are_dropped_without_failing(datagrams: list[bytes]) -> None:
    assert read(opener(), *datagrams) == []


def test_a_record_is_opened_by_itself_only_with_its_keys() -> None:
    (record,) = parse_datagram(sealer().seal(DATA, b"x"))
    assert unseal(AES_128_GCM, keys(AES_128_GCM), record) == b"x"
    assert unseal(AES_128_GCM, DirectionKeys(bytes(16), bytes(4)), record) is None
    assert unseal(AES_128_GCM, keys(AES_128_GCM), record._replace(fragment=b"short")) is None


@pytest.mark.parametrize("name", [name for name in SUITES if "ECDSA" in name])
def test_openssl_reads_what_we_write_and_we_read_what_it_writes(name: str) -> None:
    left = BareOpenSSL(Role.CLIENT, CLIENT_CERTIFICATE, ciphers=name)
    right = BareOpenSSL(Role.SERVER, CLIENT_CERTIFICATE, ciphers=name)
    to_right, to_left = left.start(), []
    finished = b""
    while to_right or to_left:
        finished = to_right[-1] if to_right else finished
        to_left = [answer for record in to_right for answer in right.receive(record)]
        to_right = [answer for record in to_left for answer in left.receive(record)]
    suite = SUITES[name]
    master, client_random, server_random = left.ssl.master_key(), left.ssl.client_random(), left.ssl.server_random()
    client_keys, server_keys = Secrets(suite, master, client_random, server_random).keys()  # type: ignore[arg-type]
    (first,) = parse_datagram(finished)
    writer = Sealer(suite, client_keys, sequence=first.sequence + 1, first_nonce=explicit_nonce(first.fragment))
    reader = Opener(suite, server_keys)
    for number in range(5):
        assert right.read(writer.seal(DATA, b"%d" % number)) == b"%d" % number
        assert read(reader, right.write(b"%d" % number)) == [b"%d" % number]


@pytest.mark.parametrize("name", [name for name in SUITES if "GCM" in name and "ECDSA" in name])
def test_openssl_counts_its_nonces_up_by_one_which_the_proof_rests_on(name: str) -> None:
    left = BareOpenSSL(Role.CLIENT, CLIENT_CERTIFICATE, ciphers=name)
    right = BareOpenSSL(Role.SERVER, CLIENT_CERTIFICATE, ciphers=name)
    to_right, to_left, written = left.start(), [], list[bytes]()
    while to_right or to_left:
        written += to_right
        to_left = [answer for record in to_right for answer in right.receive(record)]
        to_right = [answer for record in to_left for answer in left.receive(record)]
    written += [left.write(b"x") for _ in range(1_000)]
    records = [record for datagram in written for record in parse_datagram(datagram) if record.epoch == EPOCH]
    nonces = [explicit_nonce(record.fragment) for record in records]
    assert nonces == [(nonces[0] + number) % (1 << 64) for number in range(1_001)]
    assert [record.sequence for record in records] == list(range(1_001))
