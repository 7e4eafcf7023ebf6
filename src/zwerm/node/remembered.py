"""Peers that this node reached itself, kept on the disk: by them it finds back to a network whose bootstrap is gone.

Only what was proved is kept: the address that a connection was dialled at, to the peer whose key answered there, and
nothing that others merely said. No address of this machine or its own network, as it would be somebody else's in the
next one, and none through a relay. The file is bounded, forgets what is old or fails, and may be lost or broken: then
it is empty.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from zwerm.core.errors import StorageError, WireError, ZwermError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.host import Host, HostEvent, PeerConnected
from zwerm.libp2p.stream import Connection, Direction
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.node.atomic import write_atomically

NAME: Final = "peers.json"  # in the repository
MAX_PEERS: Final = 256  # with more, those are forgotten that were met longest ago
MAX_ADDRESSES: Final = 4  # of one peer, the last ones
MAX_SIZE: Final = 1 << 20  # bytes of a file that is read
EXPIRY: Final = 14 * 86_400.0  # seconds after the last meeting
MAX_FAILURES: Final = 4  # runs of the node, one after the other, in which a peer was not reached while others were
AT_ONCE: Final = 8  # peers dialled together
ENOUGH: Final = 4  # connections, with which nobody is looked for any more
SAVE_AFTER: Final = 60.0  # seconds that changes gather
_FIRST: Final = 2.0  # seconds until the next are dialled; doubled each round
_LONGEST: Final = 300.0

log: Final = logging.getLogger("zwerm.network")


@dataclasses.dataclass(slots=True)
class Met:
    """What is kept of one peer."""

    addresses: list[Multiaddr]  # the last one first, without `/p2p/`
    seen: float  # seconds since 1970
    failures: int = 0  # runs of the node since in which it was not reached


class RememberedPeers:
    """The file as a value: no network, and no clock of its own."""

    def __init__(self) -> None:
        self._peers: dict[PeerId, Met] = {}  # who was met last is at the end
        self.is_changed = False

    def __len__(self) -> int:
        return len(self._peers)

    def meet(self, peer: PeerId, address: Multiaddr, now: float) -> None:
        """Note that `peer` answered at `address`."""
        met = self._peers.pop(peer, None) or Met([], now)
        met.addresses = [address, *(each for each in met.addresses if each != address)][:MAX_ADDRESSES]
        met.seen, met.failures = now, 0
        self._peers[peer] = met
        while len(self._peers) > MAX_PEERS:
            del self._peers[next(iter(self._peers))]
        self.is_changed = True

    def fail(self, peer: PeerId) -> None:
        """Note that a peer could not be reached; at the last time it is forgotten."""
        met = self._peers.get(peer)
        if met is not None:
            met.failures += 1
            self.is_changed = True
            if met.failures >= MAX_FAILURES:
                del self._peers[peer]

    def candidates(self) -> list[tuple[PeerId, list[Multiaddr]]]:
        """Return whom to dial, who failed least and was met last first."""
        order = sorted(self._peers.items(), key=lambda item: (item[1].failures, -item[1].seen))
        return [(peer, list(met.addresses)) for peer, met in order]

    def serialize(self) -> bytes:
        rows = [
            {"id": str(peer), "addresses": list(map(str, met.addresses)), "seen": met.seen, "failures": met.failures}
            for peer, met in self._peers.items()
        ]
        return json.dumps({"version": 1, "peers": rows}, indent=1).encode()

    def load(self, data: bytes, now: float) -> None:
        """Take what a file holds; a row that is broken, old or from the future is left out.

        Raises:
            WireError: it is no such file.
        """
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            raise WireError("no JSON") from None
        rows = document.get("peers") if isinstance(document, dict) and document.get("version") == 1 else None
        if not isinstance(rows, list):
            raise WireError("no list of peers of version 1")
        for row in rows[-MAX_PEERS:]:
            with contextlib.suppress(WireError, ValueError, TypeError, KeyError):
                peer, met = _read_untrusted(row)
                if now - EXPIRY < met.seen <= now:
                    self._peers[peer] = met


def _read_untrusted(row: Any) -> tuple[PeerId, Met]:
    addresses = [Multiaddr.from_text(text) for text in row["addresses"][:MAX_ADDRESSES]]
    seen, failures = float(row["seen"]), int(row["failures"])
    if not addresses or failures < 0:
        raise WireError("a peer that is nowhere")
    return PeerId.from_text(row["id"]), Met(addresses, seen, failures)


class PeerMemory:
    """Keeps the file of one node in step with whom it meets. Use it on the loop of the host."""

    def __init__(self, host: Host, path: Path, keeps: Callable[[Multiaddr], bool], clock: Callable[[], float]) -> None:
        """`keeps` says which addresses may be written down, `clock` the seconds since 1970."""
        self.peers = RememberedPeers()
        self._host = host
        self._path = path
        self._keeps = keeps
        self._clock = clock
        self._changed = asyncio.Event()
        self._failed: set[PeerId] = set()  # in this run
        self._unsubscribe: Callable[[], None] = lambda: None

    async def open(self) -> None:
        """Read the file, and note from now on who is met. A file that cannot be read is as none."""
        try:
            self.peers.load(await asyncio.to_thread(self._read), self._clock())
        except FileNotFoundError:
            pass
        except (OSError, WireError) as error:
            log.warning("%s is left out: %s", self._path, error)
        self._unsubscribe = self._host.subscribe(self._hear)

    async def close(self) -> None:
        """Write what is not written yet. Idempotent."""
        self._unsubscribe()
        for connection in self._host.connections:
            self._note(connection)
        await self._save()

    async def run(self) -> None:
        """Write changes as they gather, for ever."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(SAVE_AFTER)
            self._changed.clear()
            await self._save()

    async def rejoin(self) -> None:
        """Dial those that were met before, some at a time, until there is company; again when it is lost. For ever."""
        wait = _FIRST
        while True:
            if len(self._host.connections) < ENOUGH:
                known = [each for each in self.peers.candidates() if not self._host.connections_to(each[0])]
                await asyncio.gather(*(self._dial(peer, addresses) for peer, addresses in known[:AT_ONCE]))
            wait = _FIRST if len(self._host.connections) >= ENOUGH else min(2 * wait, _LONGEST)
            await asyncio.sleep(_LONGEST / 10 if self._host.connections else wait)

    async def _dial(self, peer: PeerId, addresses: Iterable[Multiaddr]) -> None:
        try:
            await self._host.connect(peer, list(addresses))
        except ZwermError as error:
            log.debug("met before, and not reached now: %s", error)
            if self._host.connections and peer not in self._failed:  # else this node may be the one that is cut off
                self._failed.add(peer)
                self.peers.fail(peer)
                self._changed.set()

    def _hear(self, event: HostEvent) -> None:
        if not isinstance(event, PeerConnected):
            return
        for connection in self._host.connections_to(event.peer):
            self._note(connection)

    def _note(self, connection: Connection) -> None:
        address = connection.remote_address
        if connection.direction is Direction.OUTBOUND and not connection.is_limited and self._keeps(address):
            self.peers.meet(connection.remote_peer, address, self._clock())
            self._changed.set()

    def _read(self) -> bytes:
        with self._path.open("rb") as file:
            data = file.read(MAX_SIZE + 1)
        if len(data) > MAX_SIZE:
            raise WireError(f"more than {MAX_SIZE} bytes")
        return data

    async def _save(self) -> None:
        if not self.peers.is_changed:
            return
        self.peers.is_changed = False
        data = self.peers.serialize()
        try:
            await asyncio.to_thread(write_atomically, self._path, data, mode=0o600)
        except StorageError as error:
            log.warning("whom this node met could not be written: %s", error)


def keeps(profile: str) -> Callable[[Multiaddr], bool]:
    """Return which addresses a node of a profile may write down: `lan` those of its own network too, `test` all."""
    import ipaddress

    def judge(address: Multiaddr) -> bool:
        first = address.components[0]
        if "p2p-circuit" in address.names:
            return False
        if first.protocol.name not in ("ip4", "ip6"):
            return first.protocol.name.startswith("dns")
        ip = ipaddress.ip_address(first.text)
        if profile == "test":
            return True
        return ip.is_global or (profile == "lan" and ip.is_private and not ip.is_loopback and not ip.is_link_local)

    return judge
