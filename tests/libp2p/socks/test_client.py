"""RFC 1928 and 1929: what is asked of a proxy, byte for byte, and every answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.check_machine import Subject
from tests.conformance.check_stream_machine import check_stream_machine
from zwerm.core.errors import LocalProtocolError
from zwerm.libp2p.socks.client import Connected, Failed, Proxy, SocksClient

PROXY = Proxy("127.0.0.1", 9_050)
LOGIN = Proxy("127.0.0.1", 9_050, "user", "secret")
GRANTED = b"\x05\x00\x00\x01" + bytes(6)


def asked(host: str) -> bytes:
    client = SocksClient(PROXY, host, 4_001)
    assert client.data_to_send() == b"\x05\x01\x00"
    client.receive_data(b"\x05\x00", 0.0)
    return client.data_to_send()


@pytest.mark.parametrize(
    ("host", "wire"),
    [
        ("192.0.2.1", b"\x05\x01\x00\x01\xc0\x00\x02\x01\x0f\xa1"),
        ("2001:db8::1", b"\x05\x01\x00\x04" + bytes.fromhex("20010db8" + "00" * 11 + "01") + b"\x0f\xa1"),
        ("node.onion", b"\x05\x01\x00\x03\x0anode.onion\x0f\xa1"),
        ("bücher.example", b"\x05\x01\x00\x03\x15xn--bcher-kva.example\x0f\xa1"),
    ],
    ids=["IPv4", "IPv6", "name", "name that is not ASCII"],
)
def test_a_connection_is_asked_for_by_address_or_by_name(host: str, wire: bytes) -> None:
    assert asked(host) == wire


def test_a_user_logs_in_when_the_proxy_wants_it() -> None:
    client = SocksClient(LOGIN, "h", 1)
    assert client.data_to_send() == b"\x05\x02\x00\x02"
    client.receive_data(b"\x05\x02", 0.0)
    assert client.data_to_send() == b"\x01\x04user\x06secret"
    client.receive_data(b"\x01\x00", 0.0)
    assert client.data_to_send() == b"\x05\x01\x00\x03\x01h\x00\x01"
    assert "secret" not in repr(LOGIN)


@pytest.mark.parametrize(
    "reply", [GRANTED, b"\x05\x00\x00\x04" + bytes(18), b"\x05\x00\x00\x03\x02ab\x00\x00"], ids=["IPv4", "IPv6", "name"]
)
def test_what_follows_the_answer_belongs_to_the_connection(reply: bytes) -> None:
    client = SocksClient(PROXY, "h", 1)
    assert client.receive_data(b"\x05\x00" + reply + b"hello", 0.0) == 2 + len(reply)
    assert client.next_event() == Connected()
    assert client.receive_data(b"more", 0.0) == 0


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"\x04\x00", "the proxy speaks version 4, expected 5: is it one of SOCKS 5?"),
        (b"HTTP", "the proxy speaks version 72, expected 5: is it one of SOCKS 5?"),
        (b"\x05\xff", "the proxy wants another way to log in"),
        (b"\x05\x02", "the proxy chose way 2 to log in, which was not offered"),
        (b"\x05\x00\x05\x05\x00\x01\x00", "the connection was refused"),
        (b"\x05\x00\x05\x63\x00\x01\x00", "the proxy says 99"),
        (b"\x05\x00\x05\x00\x00\x07\x00", "the proxy answered with an address of type 7"),
    ],
    ids=["SOCKS 4", "HTTP", "no way", "a way not offered", "refused", "unknown", "address"],
)
def test_every_other_answer_is_a_failure_with_its_reason(answer: bytes, cause: str) -> None:
    client = SocksClient(PROXY, "h", 1)
    client.receive_data(answer, 0.0)
    assert client.next_event() == Failed(cause)


def test_a_wrong_password_is_said() -> None:
    client = SocksClient(LOGIN, "h", 1)
    client.receive_data(b"\x05\x02\x01\x01", 0.0)
    assert client.next_event() == Failed("the proxy refuses the user name and password")


@pytest.mark.parametrize(
    ("heard", "missing"),
    [(b"", "which way to log in"), (b"\x05\x00", "whether there is a connection")],
    ids=["at first", "in the end"],
)
def test_a_proxy_that_hangs_up_is_a_failure(heard: bytes, missing: str) -> None:
    client = SocksClient(PROXY, "h", 1)
    client.receive_data(heard, 0.0)
    client.receive_eof(0.0)
    client.receive_eof(0.0)
    assert client.next_event() == Failed(f"the proxy hung up before it said {missing}")


@pytest.mark.parametrize("host", ["", "x" * 256], ids=["empty", "long"])
def test_names_that_cannot_be_asked_for_are_the_callers_fault(host: str) -> None:
    with pytest.raises(LocalProtocolError, match="host name of"):
        SocksClient(PROXY, host, 1)


def test_passwords_that_cannot_be_sent_are_the_callers_fault() -> None:
    with pytest.raises(LocalProtocolError, match="more than 255 bytes"):
        SocksClient(Proxy("h", 1, "u", "x" * 256), "h", 1)


@given(st.binary(max_size=300))
def test_nothing_that_comes_raises_or_piles_up(data: bytes) -> None:
    client = SocksClient(LOGIN, "h", 1)
    client.receive_data(data, 0.0)
    assert len(client._received) <= 262


def test_the_machine_keeps_the_laws() -> None:
    valid = [b"\x05\x00", b"\x05\x02", b"\x01\x00", GRANTED]
    check_stream_machine(Subject(make=lambda now, random: SocksClient(LOGIN, "h", 1), valid=valid, seeds=range(6)))
