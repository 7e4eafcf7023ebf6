"""Client and server against the laws of machines: messages of any peer, damaged or not, floods, time that jumps."""

from __future__ import annotations

from random import Random

from tests.conformance.check_machine import Subject, check_machine
from zwerm.core.errors import WireError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.ipfs.bitswap.client import Client, FindProviders, GaveUp, Misbehaved
from zwerm.ipfs.bitswap.config import ClientConfig, ServerConfig
from zwerm.ipfs.bitswap.message import Entry, Message, Payload, Presence, WantType, prefix_of
from zwerm.ipfs.bitswap.server import Server
from zwerm.multiformats.cid import CID

DATA = [b"block %d" % number for number in range(12)]
CIDS = [CID.of(data) for data in DATA]
HERE = {cid.multihash: len(data) for cid, data in zip(CIDS[:6], DATA, strict=False)}


class Both:
    """The two machines behind one face of datagrams: what the shell does, without its threads."""

    def __init__(self, now: Instant) -> None:
        self.client: Client[Address] = Client(ClientConfig(wants=64, remembered=32, peers=8), can_search=True)
        self.server: Server[Address] = Server(ServerConfig(wants=16, peers=8, answers=16, ledgers=8))
        self.session = self.client.open_session(now)
        self.now = now

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        self.now = now
        try:
            message = Message.parse(data)
        except WireError:
            return False
        self.client.add_peer(source, now)
        self.server.receive_wants(source, message.wants, HERE, full=message.full)
        blocks = []
        for payload in message.payloads:
            try:
                blocks.append((payload.name().multihash, len(payload.data)))
            except WireError:
                blocks.append((b"", len(payload.data)))
        self.client.receive(source, blocks, message.presences, now)
        return True

    def handle_timeout(self, now: Instant) -> None:
        self.now = now
        self.client.handle_timeout(now)

    def next_transmit(self) -> Transmit | None:
        while (peer := self.client.next_peer()) is not None:
            message = self.client.next_message(peer)
            if message is not None:
                return Transmit(message.serialize(), peer)
        task = self.server.next_task()
        if task is None:
            return None
        self.server.sent(task.peer, task.size, len(task.blocks))
        return Transmit(Message(presences=task.presences).serialize() or b"\0", task.peer)

    def next_event(self) -> FindProviders | GaveUp | Misbehaved[Address] | None:
        return self.client.next_event()

    def next_timeout(self) -> Instant | None:
        return self.client.next_timeout()


VALID = [
    Message([Entry(cid, 1, WantType.HAVE, send_dont_have=True) for cid in CIDS]).serialize(),
    Message([Entry(cid, 2) for cid in CIDS], full=True).serialize(),
    Message([Entry(cid, cancel=True) for cid in CIDS[:4]]).serialize(),
    Message(payloads=[Payload(prefix_of(cid), data) for cid, data in zip(CIDS[:3], DATA, strict=False)]).serialize(),
    Message(presences=[Presence(cid, has=True) for cid in CIDS]).serialize(),
    Message(presences=[Presence(cid, has=False) for cid in CIDS]).serialize(),
]


def make(now: Instant, random: Random) -> Both:
    del random
    return Both(now)


def test_the_machines_keep_the_laws() -> None:
    check_machine(
        Subject(
            make=make,
            valid=VALID,
            commands=[
                lambda machine: machine.client.want(machine.session, CIDS, machine.now),
                lambda machine: machine.client.cancel(machine.session, CIDS[:2], machine.now),
                lambda machine: machine.client.search_ended(machine.session, machine.now),
                lambda machine: machine.client.want(99, CIDS, machine.now),
            ],
        )
    )
