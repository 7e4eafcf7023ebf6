"""What strangers get at a listening port: a connection, a Retry, a version, or nothing."""

from __future__ import annotations

from zwerm.core.random import seeded
from zwerm.libp2p.transports.quic.admission import Admission, Answer, Begin, Load, Retry
from zwerm.libp2p.transports.quic.config import Config

CLIENT = ("192.0.2.1", 4_000)
ID = b"8 bytes!"
IDLE = Load(0, 0, 0)


def initial(token: bytes = b"", destination: bytes = ID, version: int = 1, size: int = 1_200) -> bytes:
    """A packet that looks like a client's first one."""
    ids = bytes([len(destination)]) + destination + b"\x02me"
    return (b"\xc0" + version.to_bytes(4, "big") + ids + bytes([len(token)]) + token).ljust(size, b"\0")


def admission(config: Config | None = None) -> Admission:
    return Admission(config or Config(), seeded("admission"))


def test_a_first_packet_begins_a_connection_while_there_is_little_to_do() -> None:
    assert admission().receive(initial(), CLIENT, 0.0, IDLE) == Begin(ID, None)


def test_under_load_a_stranger_has_to_come_back_with_a_token() -> None:
    judge, busy = admission(), Load(20, 16, 1)
    retry = judge.receive(initial(), CLIENT, 0.0, busy)
    assert isinstance(retry, Retry)
    again = initial(retry.token, retry.source)
    assert judge.receive(again, CLIENT, 1.0, busy) == Begin(ID, retry.source)
    assert judge.receive(again, ("192.0.2.9", 4_000), 1.0, busy) is None
    assert judge.receive(again, CLIENT, 99.0, busy) is None
    assert judge.dropped == 2


def test_handshakes_are_limited_in_all_and_for_each_host_and_so_are_connections() -> None:
    judge = admission()
    assert judge.receive(initial(), CLIENT, 0.0, Load(64, 64, 0)) is None
    assert judge.receive(initial(), CLIENT, 0.0, Load(16, 16, 16)) is None
    assert judge.receive(initial(), CLIENT, 0.0, Load(512, 0, 0)) is None


def test_another_version_is_told_the_one_there_is() -> None:
    answer = admission().receive(initial(version=0x6B3343CF), CLIENT, 0.0, IDLE)
    assert isinstance(answer, Answer)
    assert answer.data[1:5] == bytes(4)
    assert answer.data.endswith(b"\0\0\0\1")
    assert len(answer.data) < 1_200


def test_answers_are_counted_and_stop_until_the_next_second() -> None:
    judge, busy = admission(Config(max_answers=3)), Load(20, 16, 1)
    given = [judge.receive(initial(), CLIENT, 0.0, busy) for _ in range(5)]
    assert [each is not None for each in given] == [True, True, True, False, False]
    assert judge.receive(initial(version=9), CLIENT, 0.5, busy) is None
    assert judge.receive(initial(), CLIENT, 1.0, busy) is not None


def test_what_is_too_small_or_no_first_packet_gets_nothing() -> None:
    judge = admission()
    for data in (initial(size=1_199), initial(destination=b"short"), initial(version=0), b"\x40" * 1_300, bytes(1_300)):
        assert judge.receive(data, CLIENT, 0.0, IDLE) is None
    assert judge.dropped == 5
