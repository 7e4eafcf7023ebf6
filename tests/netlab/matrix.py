"""The NAT matrix on real translators: connections between homes of eight types, with and without TURN.

    python -m tests.netlab.matrix           prints both tables: 36 pairs each

Every home is there once for each side, and all cells run at once on the same boxes: what they cannot share they would
not share at home either. What theory says is what `tests/webrtc/ice/nat_matrix.py` holds the virtual cells to.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from tests.netlab.homes import SERVERS, Kind, wide_network
from tests.netlab.meeting import Party, Selected, call, talk
from tests.netlab.namespace import Resident, resident_of
from tests.webrtc.certificate import write_signed_certificate
from tests.webrtc.ice import nat_matrix
from tests.webrtc.ice.nat_matrix import Outcome
from zwerm.webrtc import RTCConfiguration, RTCIceServer
from zwerm.webrtc.turn.credentials import Users
from zwerm.webrtc.turn.peers import PeerPolicy, parse_network
from zwerm.webrtc.turn.server.aio import ServiceConfig, TurnService
from zwerm.webrtc.turn.server.config import RelayHost, TurnServerConfig

LIMIT: Final = 60.0  # seconds, of a busy machine, until a connection is there or has failed
AT_ONCE: Final = 8  # cells that begin at the same time

PAIRS: Final = list(itertools.combinations_with_replacement(Kind, 2))


class Cell(NamedTuple):
    """Two homes, and whether there is a relay."""

    left: Kind
    right: Kind
    has_turn: bool

    def __str__(self) -> str:
        return f"{self.left.value}-{self.right.value}-{'turn' if self.has_turn else 'alone'}"

    @property
    def expected(self) -> Outcome:
        """What theory says."""
        left, right = (nat_matrix.Home(kind.value) for kind in (self.left, self.right))
        return nat_matrix.expected(left, right, self.has_turn)


CELLS: Final = [Cell(left, right, has_turn) for has_turn in (False, True) for left, right in PAIRS]


def servers(*, has_turn: bool) -> list[RTCIceServer]:
    """STUN by UDP; TURN by UDP, TCP, and TLS on the port of HTTPS."""
    host = SERVERS[0]
    found = [RTCIceServer(f"stun:{host}")]
    if has_turn:
        urls = [f"turn:{host}", f"turn:{host}?transport=tcp", f"turns:{host}:443"]
        found.append(RTCIceServer(urls, "alice", "wonder"))
    return found


@contextlib.asynccontextmanager
async def relay_in(core: Resident) -> AsyncIterator[TurnService]:
    """Our server in the middle, for STUN and TURN; its certificate is trusted in this process meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        authority, cert, key = write_signed_certificate(Path(folder), SERVERS[0])
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(cert, key)
        ranges = [parse_network(text) for text in ("198.51.100.0/24", "203.0.113.0/24")]
        config = TurnServerConfig(((SERVERS[0], 3478),), (RelayHost(SERVERS[0]),), peers=PeerPolicy(ranges),
                                  max_allocations_per_user=1_000)  # fmt: skip
        limits = ServiceConfig(tls, ((SERVERS[0], 443),))
        before = os.environ.get("SSL_CERT_FILE")
        os.environ["SSL_CERT_FILE"] = str(authority)
        service = TurnService(config, Users("zwerm", {"alice": "wonder"}), limits)
        await core.do(service.start())
        try:
            yield service
        finally:
            await core.do(service.close())
            if before is None:
                del os.environ["SSL_CERT_FILE"]
            else:
                os.environ["SSL_CERT_FILE"] = before


async def try_cell(
    left: Resident, right: Resident, *, has_turn: bool, busy: asyncio.Semaphore
) -> tuple[Outcome, Selected | None]:
    """Let two homes call each other; how it went, and over which pair. `busy` is held while there is much to do."""
    configuration = RTCConfiguration(servers(has_turn=has_turn), trickle=True)
    await busy.acquire()
    caller = await left.do(Party.open(left, configuration))
    callee = await right.do(Party.open(right, configuration))
    try:
        async with asyncio.timeout(LIMIT):
            await call(caller, callee, "matrix")
            busy.release()
            opened = await asyncio.gather(left.do(caller.wait_open()), right.do(callee.wait_open()))
            if opened != [True, True]:
                return Outcome.IMPOSSIBLE, None
            await talk(caller, callee)
            pair, _ = await asyncio.gather(left.do(caller.settled()), right.do(callee.settled()))
            await talk(caller, callee)
            return Outcome.RELAYED if pair.is_relayed else Outcome.DIRECT, pair
    finally:
        await left.do(caller.close())
        await right.do(callee.close())


async def run_cells(cells: Iterable[Cell]) -> dict[Cell, tuple[Outcome, Selected | None]]:
    """Build the homes, and try the cells, all at once but for the beginning."""
    results: dict[Cell, tuple[Outcome, Selected | None]] = {}
    busy = asyncio.Semaphore(AT_ONCE)
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(wide_network())
        homes = {side: {kind: network.join(kind) for kind in Kind} for side in ("left", "right")}
        core = stack.enter_context(resident_of(network.core))
        sides = {
            side: {kind: stack.enter_context(resident_of(home.host)) for kind, home in of_kind.items()}
            for side, of_kind in homes.items()
        }

        async def attempt(cell: Cell) -> None:
            left, right = sides["left"][cell.left], sides["right"][cell.right]
            results[cell] = await try_cell(left, right, has_turn=cell.has_turn, busy=busy)

        async with relay_in(core), asyncio.TaskGroup() as group:
            for cell in cells:
                group.create_task(attempt(cell))
    return results


def table(results: dict[Cell, tuple[Outcome, Selected | None]], *, has_turn: bool) -> str:
    """The cells as text."""
    lines = ["".join(f"{word:>11}" for word in ("", *(kind.value for kind in Kind)))]
    for left in Kind:
        words = [left.value]
        for right in Kind:
            found = results.get(Cell(left, right, has_turn))
            words.append("" if found is None else found[0].value)
        lines.append("".join(f"{word:>11}" for word in words).rstrip())
    return "\n".join(lines)


def main() -> None:
    results = asyncio.run(run_cells(CELLS))
    for has_turn in (False, True):
        print(f"\n{'with' if has_turn else 'without'} TURN\n{table(results, has_turn=has_turn)}")
    for cell, (outcome, pair) in results.items():
        if outcome is not cell.expected:
            print(f"{cell}: {outcome.value}, theory says {cell.expected.value}; {pair}")


if __name__ == "__main__":
    main()
