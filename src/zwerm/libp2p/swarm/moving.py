"""When this machine, or a peer, is somewhere else than before: connections that lead nowhere now end soon, with why.

TCP would keep them for minutes, sending again what nobody hears. Whoever waits on a stream of such a connection is
told, and goes on with another one.

* An address of this machine is gone: what was connected from it is closed at once, and failures of dials are
  forgotten, as another network may lead where the last did not.
* A peer connects once more: it may know that the connection before is dead. That is asked for an answer, and closed
  when there is none in `ANSWER_TIME`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError
from zwerm.libp2p.framing import read_exactly
from zwerm.libp2p.ping.aio import PROTOCOL as PING
from zwerm.libp2p.ping.aio import SIZE
from zwerm.libp2p.stream import Direction, ProtocolNotSupported
from zwerm.libp2p.swarm.ranking import is_relayed
from zwerm.net.interfaces import InterfaceAddress, watch_interfaces

if TYPE_CHECKING:
    from zwerm.libp2p.swarm.connection import SwarmConnection
    from zwerm.libp2p.swarm.swarm import Swarm

ANSWER_TIME: Final = 10.0  # seconds that the older of two connections has to show that it works


def close_what_leads_nowhere(swarm: Swarm) -> Callable[[], None]:
    """Watch for as long as the swarm is open; what is returned ends the part about addresses.

    Raises:
        TransportError: the addresses cannot be listed.
    """
    swarm.on_connection(lambda connection: _connected(swarm, connection))
    return watch_interfaces(lambda addresses: _moved(swarm, addresses))


def _moved(swarm: Swarm, addresses: Sequence[InterfaceAddress]) -> None:
    here = {each.address for each in addresses}
    for connection in swarm.connections:
        local = connection.local_address.value("ip4") or connection.local_address.value("ip6")
        if local is not None and not is_relayed(connection.local_address) and local not in here:
            reason = f"the address {local} is no longer one of this machine"
            swarm.spawn(connection.close(reason), "close what lost its address")
    swarm.forget_failures()
    swarm.announce()


def _connected(swarm: Swarm, connection: SwarmConnection) -> None:
    if connection.direction is not Direction.INBOUND or is_relayed(connection.remote_address):
        return
    for older in swarm.connections_to(connection.remote_peer):
        if older is not connection and not is_relayed(older.remote_address):
            swarm.spawn(_look(older), f"whether {older.remote_peer} is still there")


async def _look(older: SwarmConnection) -> None:
    """Close a connection that does not answer; one whose peer speaks no ping is left to its own devices."""
    try:
        async with asyncio.timeout(ANSWER_TIME), await older.open_stream([PING]) as stream:
            await stream.write(bytes(SIZE))
            await read_exactly(stream, SIZE)
    except ProtocolNotSupported:
        return
    except TimeoutError:
        await older.close(f"the peer connected anew, and said nothing here for {ANSWER_TIME:g} s")
    except (TransportError, RemoteProtocolError, ResourceLimitError):
        return  # it ends by itself, or has other things to do
