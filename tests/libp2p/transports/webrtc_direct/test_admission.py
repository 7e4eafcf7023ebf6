"""What strangers get: an answer to a request that is right, and nothing that lasts."""

from __future__ import annotations

import pytest

from tests.libp2p.transports.webrtc_direct.sides import Sides
from zwerm.core.machine import Address
from zwerm.core.random import seeded
from zwerm.libp2p.transports.webrtc_direct.admission import Admission, host_of, is_client_hello
from zwerm.libp2p.transports.webrtc_direct.config import Config
from zwerm.libp2p.transports.webrtc_direct.credentials import draw_credentials
from zwerm.webrtc.ice.check import parse_message_untrusted
from zwerm.webrtc.stun.attributes import ICE_CONTROLLING, PRIORITY, USE_CANDIDATE, USERNAME, XOR_MAPPED_ADDRESS
from zwerm.webrtc.stun.message import Method
from zwerm.webrtc.stun.message import request as make_request

SOURCE: Address = ("192.0.2.7", 7_000)
HELLO = b"\x16\xfe\xff" + bytes(10) + b"\x01" + bytes(50)


def request(seed: int = 0, *, ufrag: str | None = None, password: str | None = None) -> bytes:
    """A check, as a browser sends it."""
    random = seeded(seed)
    name = ufrag or draw_credentials(random).ufrag
    attributes = (USERNAME(f"{name}:{name}"), PRIORITY(1), ICE_CONTROLLING(1), USE_CANDIDATE())
    return make_request(Method.BINDING, random.randbytes(12), *attributes).serialize((password or name).encode())


def test_a_request_is_answered_with_where_it_came_from_in_no_more_bytes_than_it_had() -> None:
    data = request()
    verdict = Admission(Config()).receive(data, SOURCE, 0.0, is_open=True)
    assert verdict.caller is None
    assert verdict.answer is not None
    assert len(verdict.answer) <= len(data)
    message = parse_message_untrusted(verdict.answer)
    assert message is not None
    assert message.find(XOR_MAPPED_ADDRESS) == SOURCE


def test_a_client_hello_from_who_asked_before_begins_a_connection_once() -> None:
    admission, data = Admission(Config()), request()
    admission.receive(data, SOURCE, 0.0, is_open=True)
    caller = admission.receive(HELLO, SOURCE, 0.1, is_open=True).caller
    assert caller is not None
    assert caller.request == data
    assert admission.receive(HELLO, SOURCE, 0.2, is_open=True).caller is None


def test_without_room_a_client_hello_waits_for_its_next_resend() -> None:
    admission = Admission(Config())
    admission.receive(request(), SOURCE, 0.0, is_open=True)
    assert admission.receive(HELLO, SOURCE, 0.1, is_open=False).caller is None
    assert admission.receive(HELLO, SOURCE, 0.2, is_open=True).caller is not None


@pytest.mark.parametrize(
    "data",
    [
        HELLO,
        b"",
        b"\x16",
        request(ufrag="somebody/else/whoever"),
        request(password="a password of another"),
        request()[:-1],
        bytes(20),
    ],
    ids=["no request before", "empty", "one byte", "another name", "another password", "cut short", "zeros"],
)
def test_anything_else_gets_nothing(data: bytes) -> None:
    admission = Admission(Config())
    assert admission.receive(data, SOURCE, 0.0, is_open=True) == (None, None)
    assert admission.callers == 0


def test_a_flood_of_requests_leaves_no_more_than_the_table_holds() -> None:
    config = Config(max_callers=16, max_answers=1_000_000)
    admission = Admission(config)
    for number in range(200):
        admission.receive(request(number), (f"192.0.2.{number}", number), 0.0, is_open=True)
    assert admission.callers == config.max_callers


def test_one_host_is_answered_so_often_in_a_second_and_others_still_are() -> None:
    config = Config(max_answers_of_host=3)
    admission, data = Admission(config), request()

    def asks(host: str, now: float) -> bool:
        return admission.receive(data, (host, 1), now, is_open=True).answer is not None

    assert [asks("192.0.2.1", 0.0) for _ in range(5)] == [True, True, True, False, False]
    assert asks("192.0.2.2", 0.5)
    assert asks("192.0.2.1", 1.1)
    assert admission.dropped == 2


def test_all_hosts_together_are_answered_so_often_in_a_second() -> None:
    admission, data = Admission(Config(max_answers=3)), request()
    answers = [admission.receive(data, (f"192.0.2.{n}", 1), 0.0, is_open=True).answer for n in range(5)]
    assert [answer is not None for answer in answers] == [True, True, True, False, False]


def test_hosts_beyond_the_count_share_one() -> None:
    admission, data = Admission(Config(max_hosts=2, max_answers_of_host=2)), request()
    answers = [admission.receive(data, (f"192.0.2.{n}", 1), 0.0, is_open=True).answer for n in range(6)]
    assert [answer is not None for answer in answers] == [True, True, True, True, False, False]


def test_the_addresses_of_one_home_are_one_host() -> None:
    assert host_of("2001:db8::1") == host_of("2001:db8::ffff") != host_of("2001:db8:0:1::1")
    assert host_of("192.0.2.1") != host_of("192.0.2.2")


def test_the_first_datagram_of_dtls_is_known_by_its_type() -> None:
    sides = Sides()
    sides.connect()
    assert is_client_hello(HELLO)
    assert not is_client_hello(HELLO[:13] + b"\x02" + HELLO[14:])
    assert not is_client_hello(b"\x17" + HELLO[1:])
