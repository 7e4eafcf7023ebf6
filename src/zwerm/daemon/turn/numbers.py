"""What a relay counts, by the names under which Prometheus gets it (`zwerm_turn_...`)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zwerm.webrtc.turn.server.server import Statistics

HELP: Final = {
    "turn_allocations": "Allocations of the relay now.",
    "turn_allocations_made_total": "Allocations made since the start.",
    "turn_wrong_credentials_total": "Requests with a wrong name or password.",
    "turn_datagrams_to_peers_total": "Datagrams relayed from clients to peers.",
    "turn_bytes_to_peers_total": "Bytes relayed from clients to peers.",
    "turn_datagrams_to_clients_total": "Datagrams relayed from peers to clients.",
    "turn_bytes_to_clients_total": "Bytes relayed from peers to clients.",
    "turn_dropped_unknown_total": "Datagrams dropped: no allocation, channel or permission.",
    "turn_dropped_over_rate_total": "Datagrams dropped: over the cap on bytes a second.",
    "turn_workers": "Worker processes that run.",
    "turn_workers_replaced_total": "Worker processes that died and were replaced.",
}


def numbers_of(statistics: Statistics) -> dict[str, float]:
    """Return what a server counted, by the names of `HELP`."""
    traffic = dataclasses.asdict(statistics.traffic)
    return {
        "turn_allocations": statistics.allocations,
        "turn_allocations_made_total": statistics.allocations_made,
        "turn_wrong_credentials_total": statistics.wrong_credentials,
    } | {f"turn_{name}_total": value for name, value in traffic.items()}


def render(numbers: dict[str, float]) -> bytes:
    """Write numbers in Prometheus' text format."""
    lines: list[str] = []
    for name, value in numbers.items():
        lines.append(f"# HELP zwerm_{name} {HELP.get(name, 'Of the relay.')}")
        lines.append(f"# TYPE zwerm_{name} {'counter' if name.endswith('_total') else 'gauge'}")
        lines.append(f"zwerm_{name} {value:.16g}")
    return "\n".join(lines).encode() + b"\n"
