"""`internals`: the node's WebRTC connections as getStats shows them, and captures of what they send."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.app.failure import AppError
from zwerm.daemon.app.request import Reply, Request, field, route
from zwerm.webrtc.dtls.connection import State
from zwerm.webrtc.w3c.stats_records import StatsReporter

if TYPE_CHECKING:
    from zwerm.libp2p.transports.webrtc_direct.connection import WebRtcDirectConnection
    from zwerm.libp2p.transports.webrtc_direct.transport import WebRtcDirectTransport
    from zwerm.node.captures import Captures
    from zwerm.node.network import Network

MAX_SHOWN: Final = 50  # connections

_DTLS: Final = {
    State.CONNECTING: "connecting",
    State.VERIFYING: "connecting",
    State.CONNECTED: "connected",
    State.CLOSED: "closed",
    State.FAILED: "failed",
}  # RTCDtlsTransportState

_numbers: Final = itertools.count(1)
_reporters: WeakKeyDictionary[WebRtcDirectConnection, Reporter] = WeakKeyDictionary()


class Reporter:
    """What makes the reports of one connection."""

    def __init__(self, certificate: bytes) -> None:
        self.number = next(_numbers)
        self.stats = StatsReporter(certificate)


@route("GET", "internals")
async def internals(request: Request) -> dict[str, Any]:
    """Say how each connection stands now."""
    network = request.node.network
    if network is None or network.direct is None:
        return {"online": network is not None, "total": 0, "connections": [], "capture": None}
    reporters = sorted(((_reporter(network.direct, each), each) for each in network.direct.connections), key=_number)
    return {
        "online": True,
        "total": len(reporters),
        "connections": [_described(network, *each) for each in reporters[-MAX_SHOWN:]],
        "capture": await _capture(_captures(request)),
    }


@route("POST", "captures")
async def start(request: Request) -> dict[str, Any]:
    """Begin to capture what the node's WebRTC connections send and receive."""
    captures = _captures(request)
    has_keys = field(await request.json(), "keys", bool, default=False)
    try:
        await captures.start(has_keys=has_keys)
    except LocalProtocolError as error:
        raise AppError("busy", "A capture runs already", str(error)) from None
    return await _capture(captures)


@route("POST", "captures/stop")
async def stop(request: Request) -> dict[str, Any]:
    """End the capture that runs."""
    captures = _captures(request)
    await captures.stop()
    return await _capture(captures)


@route("GET", "captures/")
async def download(request: Request) -> Reply:
    """Give one file of a capture."""
    name = request.rest
    return Reply(
        await _captures(request).read(name),
        content_type="application/vnd.tcpdump.pcap",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@route("DELETE", "captures/")
async def remove(request: Request) -> dict[str, Any]:
    """Delete one file of a capture."""
    captures = _captures(request)
    await captures.remove(request.rest)
    return await _capture(captures)


def _captures(request: Request) -> Captures:
    network = request.node.network
    if network is None or network.captures is None:
        raise AppError("alone", "This node has no WebRTC connections")
    return network.captures


async def _capture(captures: Captures) -> dict[str, Any]:
    kept = [{"name": one.name, "size": one.size} for one in await captures.kept()]
    return {"running": captures.running, "failure": captures.failure, "files": kept}


def _reporter(direct: WebRtcDirectTransport, connection: WebRtcDirectConnection) -> Reporter:
    reporter = _reporters.get(connection)
    if reporter is None:
        reporter = _reporters[connection] = Reporter(direct.certificate.der)
    return reporter


def _number(each: tuple[Reporter, WebRtcDirectConnection]) -> int:
    return each[0].number


def _described(network: Network, reporter: Reporter, connection: WebRtcDirectConnection) -> dict[str, Any]:
    transport = connection.session.transport
    peer = connection.session.peer
    now, wall = connection.driver.now, time.time()
    report = reporter.stats.report(
        transport.statistics(),
        ice_state=transport.agent.state.value,
        dtls_state="new" if transport.dtls is None else _DTLS[transport.dtls.state],
        now=now,
        wall=wall,
    )
    return {
        "id": f"node-{reporter.number}",
        "peer": None if peer is None else str(peer),
        "agent": "" if peer is None else network.swarm.peers.agent(peer)[:128],
        "direction": connection.direction.value,
        "address": str(connection.remote_address),
        "at": wall * 1000,
        "records": [dict(record) for record in report.values()],
    }
