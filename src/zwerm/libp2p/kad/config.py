"""The numbers of a DHT node; the defaults are the specifications' unless a line says otherwise."""

from __future__ import annotations

import dataclasses
from typing import Final

from zwerm.libp2p.kad.address_scope import Scope

WAN_PROTOCOL: Final = "/ipfs/kad/1.0.0"
LAN_PROTOCOL: Final = "/ipfs/lan/kad/1.0.0"


@dataclasses.dataclass(frozen=True, slots=True)
class KadConfig:
    """Replication, concurrency, clocks and limits."""

    protocol: str = WAN_PROTOCOL
    scope: Scope = Scope.PUBLIC

    k: int = 20  # peers in a bucket, in an answer, and that hold a record
    alpha: int = 10  # requests of one look-up under way
    resilience: int = 3  # beta: the closest peers that must have answered before a path ends
    paths: int = (
        2  # disjoint paths of a look-up; 1: none. Each further one costs a few messages and mistrusts the others
    )
    request_timeout: float = 10.0  # seconds; a dial and an answer from far away fit in
    slow_after: float = 2.0  # seconds; then a look-up asks the next one instead of waiting
    query_timeout: float = 60.0  # seconds; what was found by then is the result

    peers_per_group: int = 3  # of one group of addresses in the table; 0: no limit
    peers_per_group_in_bucket: int = 2
    refresh_interval: float = 600.0  # seconds
    probe_after: float = 300.0  # seconds; a contact that was not heard of for this long is asked at the next refresh

    provider_validity: float = 172_800.0  # seconds, 48 h
    provider_address_validity: float = 86_400.0  # seconds, 24 h
    republish_interval: float = 79_200.0  # seconds, 22 h
    record_validity: float = 172_800.0  # seconds, 48 h

    max_provider_records: int = 200_000  # about 60 MB; more are refused
    max_provider_records_per_peer: int = 50_000  # of one provider
    max_providers_per_key: int = 128  # the rest find it by these
    max_record_size: int = 10_240  # bytes; ipns specs, "Record Size Limit"
    max_record_bytes: int = 33_554_432  # bytes of all records
    max_records_per_peer: int = 1_024  # keys that one peer may have put
    max_queries: int = 256  # look-ups under way
    max_candidates: int = 1_024  # peers that one look-up keeps in mind


WAN: Final = KadConfig()
LAN: Final = KadConfig(protocol=LAN_PROTOCOL, scope=Scope.PRIVATE, peers_per_group=0, paths=1)
