"""RFC 6347 section 4.2.4: a flight goes again, under new record numbers, and never the same nonce twice."""

import pytest

from tests.sim.pair import LEFT, RIGHT
from tests.webrtc.dtls.peers import OPENSSL_RECORDS, client, payloads, records, sent, sent_keeping_events, server
from zwerm.core.machine import drain
from zwerm.webrtc.dtls.connection import DTLSConnection, State
from zwerm.webrtc.dtls.event import Config
from zwerm.webrtc.dtls.flight import Flights
from zwerm.webrtc.dtls.record import DTLS_1_2, ContentType, Record
from zwerm.webrtc.dtls.records import explicit_nonce

CONFIGS = pytest.mark.parametrize("config", [Config(), OPENSSL_RECORDS], ids=["own records", "OpenSSL's records"])


def carry(datagrams: list[bytes], to: DTLSConnection, source: tuple[str, int], now: float = 0.0) -> None:
    for datagram in datagrams:
        assert to.receive_datagram(datagram, source, now)


def test_a_flight_that_nobody_answers_goes_again_on_a_doubling_timer() -> None:
    machine = client(Config(initial_interval=0.5, max_interval=3.0))
    times, now = [], 0.0
    while machine.state is State.CONNECTING:
        times += [now] * bool(sent(machine))
        now = machine.next_timeout()
        machine.handle_timeout(now)
    assert times == [0.0, 0.5, 1.5, 3.5, 6.5, 9.5, 12.5, 15.5, 18.5, 21.5, 24.5, 27.5]
    assert now == 30.0


def test_each_time_the_records_have_new_numbers_and_the_same_content() -> None:
    machine = client()
    first = records(sent(machine))
    machine.handle_timeout(machine.next_timeout())
    second = records(sent(machine))
    assert [one.fragment for one in first] == [one.fragment for one in second]
    assert [one.sequence for one in first + second] == list(range(len(first + second)))


@CONFIGS
def test_a_finished_that_is_lost_is_sealed_anew_each_time(config: Config) -> None:
    left, right = client(config), server(config)
    carry(sent(left), right, LEFT)
    carry(sent(right), left, RIGHT)
    flights = [records(sent(left))]
    for _ in range(5):
        left.handle_timeout(left.next_timeout())
        flights.append(records(sent(left)))
    finished = [record for flight in flights for record in flight if record.epoch == 1]
    assert [record.sequence for record in finished] == list(range(6))
    assert len({explicit_nonce(record.fragment) for record in finished}) == 6
    carry([record.serialize() for record in flights[5]], right, LEFT)
    carry(sent(right), left, RIGHT)
    assert left.state is right.state is State.CONNECTED
    drain(left)
    left.send([b"after it all"])
    (data,) = records(sent_keeping_events(left))
    assert data.sequence == 6
    right.receive_datagram(data.serialize(), LEFT, 0.0)
    assert payloads(drain(right).events) == [b"after it all"]


@CONFIGS
def test_a_server_repeats_its_finished_as_often_as_the_client_repeats_its_own(config: Config) -> None:
    left, right = client(config), server(config)
    carry(sent(left), right, LEFT)
    carry(sent(right), left, RIGHT)
    carry(sent(left), right, LEFT)
    assert right.state is State.CONNECTED
    lost = [records(sent_keeping_events(right))]
    for _ in range(4):
        left.handle_timeout(left.next_timeout())
        carry(sent(left), right, LEFT)
        lost.append(records(sent_keeping_events(right)))
    assert [len(flight) for flight in lost] == [2] * 5
    assert [record.sequence for flight in lost for record in flight if record.epoch == 1] == list(range(5))
    carry([record.serialize() for record in lost[4]], left, RIGHT)
    assert left.state is State.CONNECTED
    right.send([b"by OpenSSL"])
    carry(sent_keeping_events(right), left, RIGHT)
    assert payloads(drain(left).events) == [b"by OpenSSL"]


def test_nothing_is_repeated_once_the_handshake_is_done() -> None:
    left, right = client(), server()
    for _ in range(2):
        carry(sent(left), right, LEFT)
        carry(sent(right), left, RIGHT)
    assert left.next_timeout() is right.next_timeout() is None


def test_what_openssl_itself_repeats_is_dropped() -> None:
    flights = Flights(1_200)
    message = bytes.fromhex("01 000002 0000 000000 000002 abcd")
    hello = Record(ContentType.HANDSHAKE, DTLS_1_2, 0, 0, message)
    alert = Record(ContentType.ALERT, DTLS_1_2, 0, 2, b"\2\x28")
    assert records(flights.take(hello.serialize())) == [hello]
    again = hello._replace(sequence=1)
    assert flights.take(again.serialize()) == []
    assert records(flights.take(again.serialize() + alert.serialize())) == [alert._replace(sequence=1)]
    assert records(flights.resend()) == [hello._replace(sequence=2)]


def test_a_record_that_is_unreadable_is_passed_on_as_it_is() -> None:
    flights = Flights(1_200)
    odd = Record(ContentType.HANDSHAKE, DTLS_1_2, 0, 0, b"?")
    assert records(flights.take(odd.serialize())) == [odd]
    assert not flights.is_waiting


def test_a_protected_record_without_keys_is_not_repeated() -> None:
    flights = Flights(1_200)
    message = bytes.fromhex("01 000002 0000 000000 000002 abcd")
    hello = Record(ContentType.HANDSHAKE, DTLS_1_2, 0, 0, message)
    finished = Record(ContentType.HANDSHAKE, DTLS_1_2, 1, 0, bytes(40))
    assert records(flights.take(hello.serialize() + finished.serialize())) == [hello, finished]
    assert records(flights.resend()) == [hello._replace(sequence=1)]
