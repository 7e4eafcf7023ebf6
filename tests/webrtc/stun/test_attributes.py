"""Every kind of attribute: written and read, and refused when the value is not of its form."""

import pytest

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc.stun import attributes
from zwerm.webrtc.stun.attributes import KINDS, Attribute, AttributeKind

TRANSACTION_ID = bytes(range(12))
ADDRESS = ("198.51.100.7", 3478)

VALUES: list[tuple[Attribute, str]] = [
    (attributes.MAPPED_ADDRESS(ADDRESS), "00010d96c6336407"),
    (attributes.USERNAME("evtj:h6vY"), "6576746a3a68367659"),
    (attributes.ERROR_CODE(attributes.ErrorCode(401, "Unauthorized")), "00000401556e617574686f72697a6564"),
    (attributes.UNKNOWN_ATTRIBUTES((0x7FFF, 1)), "7fff0001"),
    (attributes.REALM("zwerm"), "7a7765726d"),
    (attributes.NONCE(b"obMatJos2"), "6f624d61744a6f7332"),
    (attributes.PASSWORD_ALGORITHM(attributes.Algorithm(2)), "00020000"),
    (attributes.USERHASH(bytes(32)), "00" * 32),
    (attributes.XOR_MAPPED_ADDRESS(ADDRESS), "00012c84e721c045"),
    (
        attributes.PASSWORD_ALGORITHMS((attributes.Algorithm(2, b"abcde"), attributes.Algorithm(1))),
        "000200056162636465000000" + "00010000",
    ),
    (attributes.ALTERNATE_DOMAIN("turn.example.org"), b"turn.example.org".hex()),
    (attributes.SOFTWARE("zwerm"), "7a7765726d"),
    (attributes.ALTERNATE_SERVER(ADDRESS), "00010d96c6336407"),
    (attributes.CHANGE_REQUEST(attributes.Change(address=True, port=False)), "00000004"),
    (attributes.PADDING(b"\0\0"), "0000"),
    (attributes.RESPONSE_PORT(4000), "0fa00000"),
    (attributes.RESPONSE_ORIGIN(ADDRESS), "00010d96c6336407"),
    (attributes.OTHER_ADDRESS(("2001:db8::1", 1)), "0002000120010db8000000000000000000000001"),
    (attributes.PRIORITY(0x6E0001FF), "6e0001ff"),
    (attributes.USE_CANDIDATE(), ""),
    (attributes.ICE_CONTROLLED(1), "0000000000000001"),
    (attributes.ICE_CONTROLLING(2**64 - 1), "ffffffffffffffff"),
    (attributes.NOMINATION(7), "00000007"),
    (attributes.CHANNEL_NUMBER(0x4001), "40010000"),
    (attributes.LIFETIME(600), "00000258"),
    (attributes.XOR_PEER_ADDRESS(ADDRESS), "00012c84e721c045"),
    (attributes.DATA(b"payload"), "7061796c6f6164"),
    (attributes.XOR_RELAYED_ADDRESS(ADDRESS), "00012c84e721c045"),
    (attributes.REQUESTED_ADDRESS_FAMILY(2), "02000000"),
    (attributes.EVEN_PORT(value=True), "80"),
    (attributes.REQUESTED_TRANSPORT(17), "11000000"),
    (attributes.DONT_FRAGMENT(), ""),
    (attributes.RESERVATION_TOKEN(b"12345678"), "3132333435363738"),
    (attributes.ADDITIONAL_ADDRESS_FAMILY(2), "02000000"),
    (attributes.ADDRESS_ERROR_CODE(attributes.AddressError(2, 440, "no")), "020004286e6f"),
    (attributes.ICMP(attributes.Icmp(3, 4, 1280)), "0000060400000500"),
    (attributes.CONNECTION_ID(9), "00000009"),
    (attributes.MOBILITY_TICKET(b"ticket"), "7469636b6574"),
]


def test_every_kind_is_tried_here() -> None:
    assert {attribute.kind for attribute, _ in VALUES} == set(KINDS.values())


@pytest.mark.parametrize(("attribute", "wire"), VALUES, ids=[attribute.kind.name for attribute, _ in VALUES])
def test_values_and_their_bytes(attribute: Attribute, wire: str) -> None:
    assert attribute.kind.serialize(attribute.value, TRANSACTION_ID).hex() == wire
    assert attribute.kind.parse(bytes.fromhex(wire), TRANSACTION_ID) == attribute.value


@pytest.mark.parametrize(
    ("kind", "wire"),
    [
        (attributes.MAPPED_ADDRESS, ""),
        (attributes.MAPPED_ADDRESS, "00030d96c6336407"),
        (attributes.MAPPED_ADDRESS, "00020d96c6336407"),
        (attributes.XOR_PEER_ADDRESS, "00010d96c633640700"),
        (attributes.USERNAME, "ff"),
        (attributes.USERNAME, "61" * 509),
        (attributes.REALM, "61" * 764),
        (attributes.NONCE, "61" * 764),
        (attributes.ERROR_CODE, "0000"),
        (attributes.ERROR_CODE, "00000201"),
        (attributes.ERROR_CODE, "00000464"),
        (attributes.ADDRESS_ERROR_CODE, "02"),
        (attributes.UNKNOWN_ATTRIBUTES, "000102"),
        (attributes.PASSWORD_ALGORITHM, ""),
        (attributes.PASSWORD_ALGORITHM, "0001000000020000"),
        (attributes.PASSWORD_ALGORITHMS, "00010004"),
        (attributes.PASSWORD_ALGORITHMS, "0001"),
        (attributes.USERHASH, "00" * 31),
        (attributes.CHANGE_REQUEST, "00"),
        (attributes.PRIORITY, "000000"),
        (attributes.USE_CANDIDATE, "00"),
        (attributes.EVEN_PORT, ""),
        (attributes.RESERVATION_TOKEN, "00" * 7),
        (attributes.ICMP, "00" * 7),
        (attributes.LIFETIME, "00" * 5),
    ],
    ids=lambda value: value[:16] or "nothing" if isinstance(value, str) else value.name,
)
def test_a_value_of_the_wrong_form_is_refused(kind: AttributeKind[object], wire: str) -> None:
    with pytest.raises(WireError):
        kind.parse(bytes.fromhex(wire), TRANSACTION_ID)


@pytest.mark.parametrize(
    "attribute",
    [
        attributes.USERNAME("a" * 509),
        attributes.NONCE(bytes(764)),
        attributes.USERHASH(b""),
        attributes.PRIORITY(1 << 32),
        attributes.LIFETIME(-1),
        attributes.ERROR_CODE(attributes.ErrorCode(200)),
    ],
    ids=lambda attribute: attribute.kind.name,
)
def test_a_value_that_cannot_be_written_is_the_callers_fault(attribute: Attribute) -> None:
    with pytest.raises(LocalProtocolError):
        attribute.kind.serialize(attribute.value, TRANSACTION_ID)


def test_text_for_people_is_cut_and_mended_rather_than_refused() -> None:
    assert attributes.SOFTWARE.parse(b"\xff" + b"a" * 700, TRANSACTION_ID) == "�" + "a" * 126
    assert attributes.SOFTWARE.serialize("a" * 200, TRANSACTION_ID) == b"a" * 127
