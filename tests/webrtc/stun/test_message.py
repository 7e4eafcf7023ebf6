"""STUN messages: the vectors of the RFCs, what is refused, and what integrity and fingerprint protect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webrtc.stun.vectors import (
    ALL,
    LONG_TERM,
    LONG_TERM_REQUEST,
    REQUEST,
    RESPONSE_IPV4,
    RESPONSE_IPV6,
    SHORT_TERM_PASSWORD,
    USERHASH_REQUEST,
)
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc.stun.attributes import (
    DATA,
    ERROR_CODE,
    ICE_CONTROLLED,
    NONCE,
    PASSWORD_ALGORITHM,
    PRIORITY,
    REALM,
    SOFTWARE,
    USERHASH,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    XOR_PEER_ADDRESS,
    Algorithm,
    ErrorCode,
    unknown_kind,
)
from zwerm.webrtc.stun.integrity import Integrity, PasswordAlgorithm, long_term_key, short_term_key, userhash
from zwerm.webrtc.stun.message import (
    MAX_ATTRIBUTES,
    Message,
    MessageClass,
    Method,
    check_integrity,
    indication,
    is_stun,
    request,
)

KEY = short_term_key(SHORT_TERM_PASSWORD)
TRANSACTION_ID = bytes(range(12))
BINDING = request(Method.BINDING, TRANSACTION_ID)


def test_the_sample_request_of_rfc_5769() -> None:
    message = Message.parse(REQUEST)
    assert (message.method, message.message_class) == (Method.BINDING, MessageClass.REQUEST)
    assert message.attributes == [
        SOFTWARE("STUN test client"),
        PRIORITY(0x6E0001FF),
        ICE_CONTROLLED(0x932FF9B151263B36),
        USERNAME("evtj:h6vY"),
    ]
    assert message.has_fingerprint
    assert message.has_integrity(KEY)
    assert not message.has_integrity(b"another")


@pytest.mark.parametrize(
    ("data", "mapped"),
    [
        (RESPONSE_IPV4, ("192.0.2.1", 32853)),
        (RESPONSE_IPV6, ("2001:db8:1234:5678:11:2233:4455:6677", 32853)),
    ],
    ids=["IPv4", "IPv6"],
)
def test_the_sample_responses_of_rfc_5769(data: bytes, mapped: tuple[str, int]) -> None:
    message = Message.parse(data)
    assert message.message_class is MessageClass.SUCCESS
    assert message.attributes == [SOFTWARE("test vector"), XOR_MAPPED_ADDRESS(mapped)]
    assert message.has_integrity(KEY)


def test_the_long_term_request_of_rfc_5769_comes_out_as_it_went_in() -> None:
    message = Message.parse(LONG_TERM_REQUEST)
    key = long_term_key(*LONG_TERM)
    assert [kind for kind, _ in message.attributes] == [USERNAME, NONCE, REALM]
    assert message.has_integrity(key)
    assert message.serialize(key, fingerprint=False) == LONG_TERM_REQUEST


def test_the_request_with_userhash_of_rfc_8489_comes_out_as_it_went_in() -> None:
    username, realm, password = LONG_TERM
    key = long_term_key(username, realm, password, PasswordAlgorithm.SHA256)
    message = Message.parse(USERHASH_REQUEST)
    assert message.find(USERHASH) == userhash(username, realm)
    assert message.find(PASSWORD_ALGORITHM) == Algorithm(PasswordAlgorithm.SHA256)
    assert message.integrity is Integrity.SHA256
    assert message.has_integrity(key)
    assert message.serialize(key, integrity=Integrity.SHA256, fingerprint=False) == USERHASH_REQUEST


@pytest.mark.parametrize("name", ALL)
def test_a_vector_is_refused_when_it_is_cut_anywhere(name: str) -> None:
    for size in range(len(ALL[name])):
        with pytest.raises(WireError):
            Message.parse(ALL[name][:size])


@pytest.mark.parametrize("name", ALL)
def test_no_bit_of_a_vector_can_be_changed_unseen(name: str) -> None:
    data = ALL[name]
    keys = [KEY, long_term_key(*LONG_TERM), long_term_key(*LONG_TERM, PasswordAlgorithm.SHA256)]
    assert any(check_integrity(data, key) for key in keys)
    sealed = len(data) - 8 * Message.parse(data).has_fingerprint  # who has no key can make a fingerprint too
    for position in range(sealed * 8):
        changed = bytearray(data)
        changed[position // 8] ^= 1 << position % 8
        assert not any(check_integrity(bytes(changed), key) for key in keys), f"bit {position}"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: b"\x40" + data[1:], id="first bit"),
        pytest.param(lambda data: data[:4] + bytes(4) + data[8:], id="no cookie"),
        pytest.param(lambda data: data[:3] + b"\x5c" + data[4:], id="length too large"),
        pytest.param(lambda data: data[:3] + b"\x57" + data[4:] + b"\0", id="length not a multiple of 4"),
        pytest.param(lambda data: data[:22] + b"\xff\xff" + data[24:], id="attribute runs out"),
        pytest.param(lambda data: data + b"\0\0\0\0", id="bytes after the end"),
    ],
)
def test_what_is_not_stun_is_refused(change) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(WireError):
        Message.parse(change(REQUEST))


@pytest.mark.parametrize("method", [0x001, 0x003, 0x00A, 0x080, 0xFFF], ids=hex)
@pytest.mark.parametrize("message_class", MessageClass)
def test_method_and_class_are_woven_into_the_type(method: int, message_class: MessageClass) -> None:
    message = Message(method, message_class, TRANSACTION_ID)
    assert Message.parse(message.serialize()) == message


def test_the_type_numbers_are_those_of_the_registry() -> None:
    """RFC 8489 section 5: a Binding success is 0x0101, its error 0x0111; RFC 8656: a Data indication is 0x0017."""
    assert BINDING.success().serialize()[:2].hex() == "0101"
    assert BINDING.error(400, "Bad Request").serialize()[:2].hex() == "0111"
    assert indication(Method.DATA, TRANSACTION_ID).serialize()[:2].hex() == "0017"


@pytest.mark.parametrize("integrity", Integrity)
def test_each_kind_of_integrity_is_checked(integrity: Integrity) -> None:
    data = BINDING.serialize(b"key", integrity=integrity)
    message = Message.parse(data)
    assert message.integrity is integrity
    assert message.has_integrity(b"key")
    assert not message.has_integrity(b"kez")


def test_a_message_without_integrity_has_none_whatever_the_key() -> None:
    message = Message.parse(BINDING.serialize())
    assert message.integrity is None
    assert not message.has_integrity(b"")


def test_of_two_integrities_the_strong_one_decides() -> None:
    """Otherwise who breaks SHA-1 has broken both."""
    data = bytearray(BINDING.serialize(b"key", integrity=Integrity.BOTH, fingerprint=False))
    data[-1] ^= 1
    assert not check_integrity(bytes(data), b"key")


def seal_sha256(size: int) -> bytes:
    from zwerm.webrtc.stun.integrity import hmac_sha256

    data = BINDING.serialize(fingerprint=False)
    data = data[:2] + (4 + size).to_bytes(2, "big") + data[4:]
    return data + b"\x00\x1c" + size.to_bytes(2, "big") + hmac_sha256(data, 20, b"key", size)


@pytest.mark.parametrize("size", [16, 20, 28, 32])
def test_a_cut_hmac_is_right_only_where_the_usage_allows_it(size: int) -> None:
    message = Message.parse(seal_sha256(size))
    assert message.has_integrity(b"key", sha256_minimum=16)
    assert message.has_integrity(b"key") is (size == 32)
    assert not message.has_integrity(b"kez", sha256_minimum=16)


@pytest.mark.parametrize("size", [0, 12, 36])
def test_an_hmac_of_a_forbidden_size_is_refused(size: int) -> None:
    data = seal_sha256(min(size, 32)).ljust(24 + size, b"\0")
    data = data[:2] + (4 + size).to_bytes(2, "big") + data[4:22] + size.to_bytes(2, "big") + data[24:]
    with pytest.raises(WireError, match="SHA256"):
        Message.parse(data)


def test_what_follows_integrity_is_ignored() -> None:
    """RFC 8489 section 14.5: anybody on the way could have added it."""
    data = BINDING.serialize(b"key", fingerprint=False) + bytes.fromhex("002400046e0001ff")
    data = data[:2] + (len(data) - 20).to_bytes(2, "big") + data[4:]
    message = Message.parse(data)
    assert message.find(PRIORITY) is None
    assert message.has_integrity(b"key")


def test_a_fingerprint_is_last_and_right() -> None:
    data = BINDING.serialize()
    with pytest.raises(WireError, match="FINGERPRINT does not match"):
        Message.parse(data[:-1] + b"\0")
    more = data + bytes.fromhex("80220000")
    with pytest.raises(WireError, match="FINGERPRINT is not last"):
        Message.parse(more[:2] + (len(more) - 20).to_bytes(2, "big") + more[4:])


def test_of_repeated_attributes_the_first_counts_and_all_can_be_had() -> None:
    peers = [("192.0.2.1", 1), ("192.0.2.2", 2)]
    message = Message.parse(
        request(Method.CREATE_PERMISSION, TRANSACTION_ID, *map(XOR_PEER_ADDRESS, peers)).serialize()
    )
    assert message.find(XOR_PEER_ADDRESS) == peers[0]
    assert message.find_all(XOR_PEER_ADDRESS) == peers


def test_attributes_nobody_knows_are_kept_and_those_that_matter_are_named() -> None:
    strange, harmless = unknown_kind(0x7ABC), unknown_kind(0xFABC)
    sent = request(Method.BINDING, TRANSACTION_ID, strange(b"12345"), harmless(b""))
    message = Message.parse(sent.serialize())
    assert message == sent
    assert message.unknown_required() == (0x7ABC,)
    assert [(kind.number, value) for kind, value in message.attributes] == [(0x7ABC, b"12345"), (0xFABC, b"")]


def test_an_error_response_says_why() -> None:
    message = Message.parse(BINDING.error(438, "Stale Nonce").serialize())
    assert message.find(ERROR_CODE) == ErrorCode(438, "Stale Nonce")


def test_more_attributes_than_the_limit_are_refused() -> None:
    attributes = [unknown_kind(0x8FFF)(b"")] * MAX_ATTRIBUTES
    assert len(
        Message.parse(
            request(Method.BINDING, TRANSACTION_ID, *attributes).serialize(None, fingerprint=False)
        ).attributes
    )
    with pytest.raises(WireError):
        Message.parse(request(Method.BINDING, TRANSACTION_ID, *attributes, attributes[0]).serialize(fingerprint=False))


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(request(Method.BINDING, b"short"), id="transaction ID"),
        pytest.param(request(Method.SEND, TRANSACTION_ID, DATA(bytes(65_536))), id="size"),
        pytest.param(request(Method.SEND, TRANSACTION_ID, DATA(bytes(65_500)), DATA(bytes(100))), id="size of all"),
        pytest.param(request(Method.BINDING, TRANSACTION_ID, XOR_MAPPED_ADDRESS(("example.org", 1))), id="a name"),
    ],
)
def test_what_does_not_fit_into_a_message_is_the_callers_fault(message: Message) -> None:
    with pytest.raises(LocalProtocolError):
        message.serialize()


def test_stun_is_told_from_what_shares_its_port() -> None:
    assert is_stun(REQUEST)
    assert not is_stun(REQUEST[:19])
    assert not is_stun(b"\x16\xfe\xfd" + bytes(40))  # DTLS
    assert not is_stun(b"\x40\x00" + REQUEST[2:])  # ChannelData


@given(st.binary(max_size=64))
def test_untrusted_bytes_after_a_right_header_are_parsed_or_refused(body: bytes) -> None:
    data = BINDING.serialize(fingerprint=False)
    data = data[:2] + len(body).to_bytes(2, "big") + data[4:] + body
    try:
        message = Message.parse(data)
    except WireError:
        return
    assert Message.parse(message.serialize()) == message
