"""A responder fails or goes on, and takes no byte more than its messages, however they are cut."""

from tests.libp2p.noise.sides import ALICE, side

SEEDS = [side(ALICE, is_initiator=True).data_to_send(), b"\x00\x30" + bytes(48)]


def fuzz(data: bytes) -> None:
    whole, cut = side(ALICE, is_initiator=False), side(ALICE, is_initiator=False)
    used = whole.receive_data(data, 0.0)
    assert used <= len(data)
    for start in range(0, used, 7):
        cut.receive_data(data[start : min(start + 7, used)], 0.0)
    assert cut.data_to_send() == whole.data_to_send()
    assert cut.next_event() == whole.next_event()
