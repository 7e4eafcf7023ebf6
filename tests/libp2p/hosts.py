"""Real swarms in one process, connected over memory, for the tests of protocols that take a `Host`.

    async with hosts(2) as (alice, bob):  # each knows where the others are; nobody is connected yet
        bob.handle("/echo/1.0.0", echo)
        async with await alice.open_stream(bob.peer_id, ["/echo/1.0.0"]) as stream:
            ...

    async with hosts(5, connected=True) as swarms:  # each is connected with each

They identify themselves to each other as real nodes do, some turns of the loop after they are connected: wait for
`PeerIdentified` before you rely on what `peers` says. With `identify=False` they do not, and no stream is opened that
the test did not open.

Keys come from the position, so that peer IDs are the same in every run. `seeded_key(n)` is the key of the n-th. To make
swarms of your own that reach these, give them `MemoryTransport(network, peer)` with `network` as here. At the end every
swarm is closed, and with it its tasks. What is not there: latency and loss; take a machine and `tests/sim` for them.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from zwerm.core.random import seeded
from zwerm.identity.key_message import KeyType
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.swarm import Limits, Swarm
from zwerm.libp2p.transports.memory import MemoryNetwork, MemoryTransport
from zwerm.multiformats.multiaddr import Multiaddr

FOREVER = 1e9  # seconds


def seeded_key(number: int) -> PrivateKey:
    """Return the Ed25519 key of the n-th host; the same in every run."""
    secret = seeded("host", number).randbytes(32)
    return PrivateKey(KeyType.ED25519, Ed25519PrivateKey.from_private_bytes(secret))


async def start_host(
    number: int, network: MemoryNetwork, limits: Limits | None = None, *, identify: bool = True
) -> Swarm:
    """Make the n-th swarm and let it listen on `/memory/n+1`; to be closed by the caller."""
    key = seeded_key(number)
    swarm = Swarm(
        key,
        [MemoryTransport(network, PeerId.of(key.public))],
        limits=limits,
        random=seeded("swarm", number),
        agent=f"host {number}" if identify else None,
    )
    await swarm.listen([Multiaddr.from_text(f"/memory/{number + 1}")])
    return swarm


@contextlib.asynccontextmanager
async def hosts(
    count: int,
    *,
    connected: bool = False,
    limits: Limits | None = None,
    network: MemoryNetwork | None = None,
    identify: bool = True,
) -> AsyncIterator[list[Swarm]]:
    """Give `count` swarms that know each other's addresses; with `connected`, a connection for each two."""
    network = network or MemoryNetwork()
    async with contextlib.AsyncExitStack() as stack:
        swarms = []
        for number in range(count):
            swarm = await start_host(number, network, limits, identify=identify)
            swarms.append(await stack.enter_async_context(swarm))
        for swarm in swarms:
            for other in swarms:
                if other is not swarm:
                    swarm.peers.add_addresses(other.peer_id, other.listen_addresses, FOREVER)
        if connected:
            for index, swarm in enumerate(swarms):
                for other in swarms[index + 1 :]:
                    await swarm.connect(other.peer_id)
        yield swarms
