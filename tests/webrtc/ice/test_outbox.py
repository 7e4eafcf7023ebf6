"""Where an agent's words go: by the way of their base, and no more of them than somebody takes."""

from __future__ import annotations

from tests.webrtc.ice.test_pair import HOST, PEER, pair
from zwerm.webrtc.ice.config import Config
from zwerm.webrtc.ice.events import CloseStream, DataReceived, OpenStream, RestartNeeded, SendStream
from zwerm.webrtc.ice.outbox import MAX_TRANSMITS, Outbox
from zwerm.webrtc.ice.pair import Base, BaseKind


def outbox(**limits: int) -> Outbox:
    return Outbox(Config(**limits), list)


def events(box: Outbox) -> list[object]:
    return list(iter(box.next_event, None))


def test_a_datagram_goes_out_from_its_base() -> None:
    box = outbox()
    box.send(Base(HOST), None, b"data", PEER, 0.0)
    transmit = box.next_transmit()
    assert transmit is not None
    assert (transmit.data, transmit.destination, transmit.source) == (b"data", PEER, HOST)
    assert box.next_transmit() is None


def test_a_run_of_datagrams_stays_one_on_a_socket_and_is_cut_for_a_connection() -> None:
    box = outbox()
    box.send_run(pair(), b"aabbc", 2, 0.0)
    transmit = box.next_transmit()
    assert transmit is not None
    assert transmit.segment_size == 2
    by_tcp = pair(tcp=True)
    by_tcp.stream = box.open_stream(by_tcp)
    assert by_tcp.stream is not None
    stream = box.streams.find(by_tcp.stream)
    assert stream is not None
    stream.is_open = True
    box.send_run(by_tcp, b"aabbc", 2, 0.0)
    sent = [event.data for event in events(box) if isinstance(event, SendStream)]
    assert sent == [b"\0\2aa", b"\0\2bb", b"\0\1c"]


def test_a_connection_is_asked_for_and_closed_once() -> None:
    box = outbox(max_streams=1)
    number = box.open_stream(pair(tcp=True))
    assert number is not None
    assert box.open_stream(pair(tcp=True)) is None
    box.close_stream(number)
    box.close_stream(number)
    assert events(box) == [OpenStream(number, HOST, PEER), CloseStream(number)]


def test_nothing_goes_over_a_connection_that_is_not_open_or_a_relay_that_is_gone() -> None:
    box = outbox()
    box.send(Base(HOST, BaseKind.TCP), 5, b"data", PEER, 0.0)
    box.send(Base(HOST, BaseKind.RELAY), None, b"data", PEER, 0.0)
    assert box.next_transmit() is None
    assert events(box) == []


def test_datagrams_and_data_that_nobody_takes_are_dropped_and_news_is_not() -> None:
    box = outbox(max_waiting_events=3)
    for _ in range(2 * MAX_TRANSMITS):
        box.send(Base(HOST), None, b"data", PEER, 0.0)
    assert len(list(iter(box.next_transmit, None))) == MAX_TRANSMITS
    for _ in range(10):
        box.tell(DataReceived(b"data", PEER))
    assert box.is_full
    box.tell(RestartNeeded("news"))
    assert [type(event) for event in events(box)] == [DataReceived] * 3 + [RestartNeeded]


def test_what_came_too_early_is_told_when_its_path_is_validated_and_only_that() -> None:
    box, made = outbox(max_early_data=2), pair()
    box.hold((HOST, ("192.0.2.66", 1)), b"of a stranger")
    for data in (b"first", b"second", b"third"):
        box.hold(made.path, data)
    box.validated(made, 0.0)
    assert [event.data for event in events(box) if isinstance(event, DataReceived)] == [b"second", b"third"]
    box.validated(made, 0.0)
    assert events(box) == []


def test_what_is_held_can_be_forgotten() -> None:
    box, made = outbox(), pair()
    box.hold(made.path, b"data")
    box.forget_held()
    box.validated(made, 0.0)
    assert events(box) == []
