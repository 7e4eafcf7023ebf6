"""Private networks: members reach each other, others reach nobody, and nothing on the wire says what it is."""

import asyncio

import pytest

from tests.libp2p.swarm.tcp_hosts import LOOPBACK, tcp_host
from zwerm.core.random import seeded
from zwerm.libp2p.host import DialFailed
from zwerm.libp2p.pnet.network_key import NetworkKey
from zwerm.libp2p.pnet.private_wire import PrivateWire
from zwerm.libp2p.stream import Stream
from zwerm.libp2p.transports.wire import Buffer, WireReceiver
from zwerm.multiformats.multiaddr import Multiaddr

HOME, OTHER = (NetworkKey.generate(seeded(name)) for name in ("home", "other"))


class End:
    """One end of a wire in memory, and who is told at it."""

    def __init__(self) -> None:
        self.local_address = self.remote_address = Multiaddr.from_text("/memory/1")
        self.is_full = False
        self.sent = bytearray()
        self.told: list[str] = []
        self.received = b""
        self.receiver: WireReceiver | None = None

    def start(self, receiver: WireReceiver) -> None:
        self.receiver = receiver

    def write(self, data: Buffer) -> None:
        self.sent += data

    def pause(self) -> None:
        self.told.append("pause")

    def resume(self) -> None:
        self.told.append("resume")

    def close(self) -> None:
        self.told.append("close")

    def abort(self) -> None:
        self.told.append("abort")

    def wire_received(self, data: memoryview) -> None:
        self.received += bytes(data)

    def wire_ended(self) -> None:
        self.told.append("ended")

    def wire_writable(self) -> None:
        self.told.append("writable")

    def wire_lost(self, reason: str) -> None:
        self.told.append(reason)


def private(key: NetworkKey, seed: int) -> tuple[End, End, PrivateWire]:
    below, above = End(), End()
    wire = PrivateWire(below, key, seeded(seed))
    wire.start(above)
    return below, above, wire


@pytest.mark.parametrize("cut", [1, 7, 24, 1_000])
def test_what_one_writes_the_other_receives_however_it_is_cut(cut: int) -> None:
    below, _, wire = private(HOME, 1)
    for piece in (b"\x13/multistream", b"", b"/1.0.0\n", memoryview(bytes(100_000))):
        wire.write(piece)
    assert b"multistream" not in below.sent
    far_below, above, _ = private(HOME, 2)
    assert far_below.receiver is not None
    for start in range(0, len(below.sent), cut if cut < 100 else 10_000):
        far_below.receiver.wire_received(memoryview(below.sent)[start : start + (cut if cut < 100 else 10_000)])
    assert above.received == b"\x13/multistream/1.0.0\n" + bytes(100_000)


def test_two_connections_have_nothing_in_common() -> None:
    wires = [private(HOME, seed) for seed in range(2)]
    for _, _, wire in wires:
        wire.write(b"the same words")
    assert len(wires[0][0].sent) == 24 + 14
    assert wires[0][0].sent[24:] != wires[1][0].sent[24:]


def test_everything_else_passes_through() -> None:
    below, above, wire = private(HOME, 1)
    wire.pause()
    wire.resume()
    wire.close()
    wire.abort()
    assert below.told == ["pause", "resume", "close", "abort"]
    assert below.receiver is not None
    below.receiver.wire_ended()
    below.receiver.wire_writable()
    below.receiver.wire_lost("gone")
    assert above.told == ["ended", "writable", "gone"]
    below.is_full = True
    assert wire.is_full
    assert wire.local_address == below.local_address
    assert wire.remote_address == below.remote_address


async def echo(stream: Stream) -> None:
    await stream.write(await stream.read())


async def test_members_reach_each_other() -> None:
    async with tcp_host(0, network=HOME) as alice, tcp_host(1, network=HOME) as bob:
        bob.handle("/echo", echo)
        await bob.listen([LOOPBACK])
        await alice.connect(bob.peer_id, bob.addresses)
        async with await alice.open_stream(bob.peer_id, ["/echo"]) as stream:
            await stream.write(b"among ourselves")
            assert await stream.read() == b"among ourselves"


@pytest.mark.parametrize("network", [OTHER, None], ids=["another network", "the public one"])
async def test_others_reach_nobody(network: NetworkKey | None) -> None:
    async with tcp_host(0, network=network, handshake_time=2.0) as alice, tcp_host(1, network=HOME) as bob:
        await bob.listen([LOOPBACK])
        async with asyncio.timeout(20):
            with pytest.raises(DialFailed, match="secure channel"):
                await alice.connect(bob.peer_id, bob.addresses)
        assert not bob.connections
