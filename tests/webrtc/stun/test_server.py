"""What a STUN server answers, and what it does not."""

import pytest

from tests.conformance.check_machine import Subject, check_machine
from tests.webrtc.stun.vectors import REQUEST
from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Transmit
from zwerm.webrtc.stun.attributes import (
    CHANGE_REQUEST,
    ERROR_CODE,
    MAPPED_ADDRESS,
    OTHER_ADDRESS,
    PADDING,
    RESPONSE_ORIGIN,
    RESPONSE_PORT,
    SOFTWARE,
    UNKNOWN_ATTRIBUTES,
    XOR_MAPPED_ADDRESS,
    Attribute,
    Change,
    unknown_kind,
)
from zwerm.webrtc.stun.message import Message, MessageClass, Method, indication, request
from zwerm.webrtc.stun.server import MAX_WAITING, ServerConfig, StunServer

PRIMARY = ("198.51.100.1", 3478)
ALTERNATE = ("198.51.100.2", 3479)
CLIENT = ("203.0.113.5", 40_000)
PLAIN = ServerConfig(PRIMARY)
FULL = ServerConfig(PRIMARY, ALTERNATE, software="zwerm")
TRANSACTION_ID = bytes(range(12))


def ask(config: ServerConfig, *attributes: Attribute, local: tuple[str, int] = PRIMARY) -> tuple[Transmit, Message]:
    server = StunServer(config)
    assert server.receive_datagram(request(Method.BINDING, TRANSACTION_ID, *attributes).serialize(), CLIENT, 0.0, local)
    transmit = server.next_transmit()
    assert transmit is not None
    assert server.next_transmit() is None
    return transmit, Message.parse(transmit.data)


def test_a_client_is_told_its_address_and_nothing_more() -> None:
    transmit, response = ask(PLAIN)
    assert (transmit.source, transmit.destination) == (PRIMARY, CLIENT)
    assert response.attributes == [XOR_MAPPED_ADDRESS(CLIENT)]
    assert response.transaction_id == TRANSACTION_ID


def test_a_server_with_two_addresses_tells_of_them() -> None:
    _, response = ask(FULL)
    assert response.attributes == [
        XOR_MAPPED_ADDRESS(CLIENT),
        MAPPED_ADDRESS(CLIENT),
        RESPONSE_ORIGIN(PRIMARY),
        OTHER_ADDRESS(ALTERNATE),
        SOFTWARE("zwerm"),
    ]


@pytest.mark.parametrize("local", FULL.sockets(), ids=lambda local: f"{local[0][-1]}:{local[1]}")
@pytest.mark.parametrize("address", [False, True], ids=["same host", "other host"])
@pytest.mark.parametrize("port", [False, True], ids=["same port", "other port"])
def test_it_answers_from_where_it_was_asked_to(local: tuple[str, int], *, address: bool, port: bool) -> None:
    transmit, response = ask(FULL, CHANGE_REQUEST(Change(address, port)), local=local)
    assert transmit.source == response.find(RESPONSE_ORIGIN)
    assert transmit.source is not None
    assert (transmit.source[0] != local[0], transmit.source[1] != local[1]) == (address, port)
    other = response.find(OTHER_ADDRESS)
    assert other is not None
    assert {local[0], other[0]} == {PRIMARY[0], ALTERNATE[0]}
    assert {local[1], other[1]} == {PRIMARY[1], ALTERNATE[1]}


def test_it_answers_to_another_port_of_the_same_host() -> None:
    transmit, response = ask(FULL, RESPONSE_PORT(50_000))
    assert transmit.destination == (CLIENT[0], 50_000)
    assert response.find(XOR_MAPPED_ADDRESS) == CLIENT


@pytest.mark.parametrize(
    ("config", "attribute"),
    [
        (PLAIN, unknown_kind(0x7777)(b"")),
        (PLAIN, CHANGE_REQUEST(Change(address=True, port=True))),
        (PLAIN, RESPONSE_PORT(1)),
        (FULL, PADDING(b"")),
    ],
    ids=["unknown", "change without a second address", "port without a second address", "padding"],
)
def test_what_it_cannot_do_is_named(config: ServerConfig, attribute: Attribute) -> None:
    _, response = ask(config, attribute)
    assert response.message_class is MessageClass.ERROR
    assert (response.find(ERROR_CODE) or (0,))[0] == 420
    assert response.find(UNKNOWN_ATTRIBUTES) == (attribute.kind.number,)


@pytest.mark.parametrize(
    ("data", "is_taken"),
    [
        (indication(Method.BINDING, TRANSACTION_ID).serialize(), True),
        (request(Method.BINDING, TRANSACTION_ID).success().serialize(), False),
        (request(Method.ALLOCATE, TRANSACTION_ID).serialize(), False),
        (REQUEST[:-1] + b"?", False),
        (b"", False),
    ],
    ids=["keep-alive", "response", "another method", "damaged", "nothing"],
)
def test_all_else_gets_no_answer(data: bytes, *, is_taken: bool) -> None:
    server = StunServer(PLAIN)
    assert server.receive_datagram(data, CLIENT, 0.0) is is_taken
    assert server.next_transmit() is None


def test_an_answer_is_not_much_larger_than_a_question() -> None:
    """Otherwise whoever forges source addresses would use it to flood others."""
    transmit, _ = ask(PLAIN)
    assert len(transmit.data) <= 2 * len(request(Method.BINDING, TRANSACTION_ID).serialize())


def test_answers_that_nobody_takes_do_not_pile_up() -> None:
    server = StunServer(PLAIN)
    for _ in range(MAX_WAITING + 5):
        server.receive_datagram(REQUEST, CLIENT, 0.0)
    assert sum(1 for _ in iter(server.next_transmit, None)) == MAX_WAITING


def test_the_second_address_differs_in_both() -> None:
    with pytest.raises(LocalProtocolError):
        ServerConfig(PRIMARY, ("198.51.100.2", 3478))


@pytest.mark.parametrize("config", [PLAIN, FULL], ids=["one address", "two"])
def test_it_obeys_the_laws_of_machines(config: ServerConfig) -> None:
    change = request(Method.BINDING, TRANSACTION_ID, CHANGE_REQUEST(Change(address=True, port=True)))
    check_machine(Subject(make=lambda now, random: StunServer(config), valid=[REQUEST, change.serialize()]))
