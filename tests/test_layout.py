"""Tests mirror src: `src/zwerm/ipfs/car/reader.py` is tested by `tests/ipfs/car/test_reader.py`.

A module that is a part of another one's work, and has nothing to promise by itself, is tested through that one: such
modules stand in `ELSEWHERE`, each with the test files that cover it. `tools/branches.py` measures them by these.
"""

from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).parent
SOURCE: Final = TESTS.parent / "src" / "zwerm"
MIRRORED: Final = sorted(path.name for path in SOURCE.iterdir() if path.is_dir() and path.name not in ("cli", "web"))
SMALL: Final = 40  # lines; a module below is tested by what uses it

INTERFACES: Final = frozenset(
    {
        "ipfs/source.py",
        "libp2p/host.py",
        "libp2p/stream.py",
        "libp2p/transports/transport.py",
        "libp2p/transports/wire.py",
    }
)  # nothing runs

_CBOR: Final = ("ipfs/ipld/test_cbor.py", "ipfs/ipld/test_dag_cbor.py")
_CALLS: Final = tuple(f"daemon/calls/test_{name}.py" for name in ("accounts", "calling", "fetching", "hostile"))
_JSON: Final = ("ipfs/ipld/test_json.py", "ipfs/ipld/test_dag_json.py")
_GATEWAY: Final = tuple(
    f"ipfs/gateway/test_{name}.py"
    for name in ("gateway", "path_gateway", "redirects_file", "subdomain_gateway", "trustless_gateway")
)
_STORE: Final = tuple(f"ipfs/blockstore/test_{name}.py" for name in ("packstore", "recovery", "store_machine"))
_PARTS: Final = (  # of the store, which the others look into too
    *(f"ipfs/blockstore/test_{name}.py" for name in ("compaction", "packfiles", "repair", "verification")),
    *_STORE,
)
_CONFIG: Final = ("node/test_config.py",)
_NODE: Final = ("node/test_node.py",)
_CLI: Final = tuple(sorted(path.relative_to(TESTS).as_posix() for path in (TESTS / "cli").glob("test_*.py")))
_APP: Final = tuple(f"daemon/app/test_{name}.py" for name in ("files", "history", "storage"))

_HTTP: Final = tuple(
    f"daemon/http/test_{name}.py"
    for name in ("gateway", "multipart", "rpc", "security", "server", "static", "upload", "web")
)
_FILES: Final = tuple(
    f"ipfs/mfs/test_{name}.py"
    for name in ("files_collection", "files_model", "metadata", "operations", "reading", "working", "write")
)

_SWARM: Final = ("libp2p/swarm/test_swarm.py", "libp2p/swarm/test_dialer.py")
_DIRECT: Final = tuple(f"libp2p/transports/webrtc_direct/test_{name}.py" for name in ("session", "transport"))
_QUIC: Final = tuple(f"libp2p/transports/quic/test_{name}.py" for name in ("session", "transport"))
_TCP: Final = ("libp2p/transports/test_tcp.py",)
_SESSION: Final = ("webrtc/jsep/test_session.py",)
_CONNECTION: Final = tuple(
    f"webrtc/w3c/test_{name}.py" for name in ("peer_connection", "perfect_negotiation", "misuse", "rtp_transceiver")
)

ELSEWHERE: Final[dict[str, tuple[str, ...]]] = {
    "libp2p/swarm/admission.py": ("libp2p/swarm/test_hostile.py", "libp2p/swarm/test_address_ranges.py"),
    "libp2p/transports/session_connection.py": (
        "libp2p/transports/quic/test_transport.py",
        "libp2p/transports/webrtc_direct/test_transport.py",
    ),
    "libp2p/transports/session_driver.py": (
        "libp2p/transports/quic/test_transport.py",
        "libp2p/transports/webrtc_direct/test_transport.py",
    ),
    "libp2p/swarm/moving.py": ("netlab/test_moving.py",),
    "node/port_mapping.py": ("netlab/test_port_mapping.py",),
    "node/relays.py": ("netlab/test_relays.py",),
    "node/setting_checks.py": ("node/test_config.py",),
    "calls/load/aio.py": ("cli/test_load.py",),
    "calls/bus/aio.py": ("daemon/calls/test_several.py",),
    "calls/bus/elsewhere.py": ("daemon/calls/test_several.py", "calls/test_switchboard.py"),
    "calls/service/heritage.py": ("daemon/calls/test_several_more.py",),
    "calls/service/ledger.py": ("daemon/calls/test_trouble.py",),
    "calls/service/rooms_elsewhere.py": ("daemon/calls/test_several_more.py",),
    "calls/service/several.py": ("daemon/calls/test_several.py", "daemon/calls/test_several_more.py"),
    "calls/store/heirs.py": ("daemon/calls/test_several.py",),
    "calls/mail/aio.py": ("daemon/calls/test_fetching.py",),
    "calls/passkeys.py": ("daemon/calls/test_passkeys.py",),
    "calls/push/aio.py": ("daemon/calls/test_fetching.py",),
    "calls/schema.py": ("calls/test_message.py",),
    "calls/service/aio.py": _CALLS,
    "calls/service/calling.py": ("daemon/calls/test_calling.py",),
    "calls/service/client.py": _CALLS,
    "calls/service/fetching.py": ("daemon/calls/test_fetching.py",),
    "calls/service/meeting.py": ("daemon/calls/test_accounts.py",),
    "calls/service/passkeys.py": ("daemon/calls/test_passkeys.py",),
    "calls/service/people.py": ("daemon/calls/test_accounts.py", "daemon/calls/test_calling.py"),
    "calls/service/signing_in.py": ("daemon/calls/test_accounts.py", "daemon/calls/test_fetching.py"),
    "calls/store/accounts.py": ("daemon/calls/test_accounts.py",),
    "calls/store/history.py": ("daemon/calls/test_calling.py",),
    "calls/store/load.py": ("cli/test_load.py",),
    "calls/store/notices.py": ("daemon/calls/test_fetching.py",),
    "calls/store/passkeys.py": ("daemon/calls/test_passkeys.py",),
    "calls/store/rooms.py": ("daemon/calls/test_accounts.py",),
    "calls/store/tables.py": ("calls/store/test_database.py",),
    "daemon/calls/carriers.py": ("daemon/calls/test_calling.py", "daemon/calls/test_hostile.py"),
    "daemon/calls/https.py": ("cli/test_signal_domain.py",),
    "daemon/calls/load.py": ("cli/test_load.py",),
    "daemon/calls/node.py": ("daemon/calls/test_node.py",),
    "daemon/calls/options.py": ("cli/test_signal.py",),
    "daemon/calls/serve.py": ("cli/test_signal.py",),
    "daemon/calls/handler.py": ("daemon/calls/test_hostile.py",),
    "daemon/app/api.py": _APP,
    "daemon/app/changed.py": _APP,
    "daemon/app/explore.py": _APP,
    "daemon/app/live.py": _APP,
    "daemon/app/settings.py": _APP,
    "daemon/app/share.py": _APP,
    "daemon/app/summary.py": _APP,
    "daemon/app/uploads.py": _APP,
    "daemon/http/exchange.py": _HTTP,
    "daemon/http/sendfile.py": ("daemon/http/test_gateway.py",),
    "daemon/http/server.py": _HTTP,
    "daemon/listeners.py": ("daemon/test_process.py", *_HTTP),
    "daemon/rpc/online.py": ("daemon/rpc/test_swarm.py",),
    "daemon/tls/lan.py": ("daemon/tls/test_authority.py", "daemon/tls/test_node.py"),
    "daemon/tls/plain.py": ("daemon/tls/test_node.py",),
    "daemon/tls/source.py": ("daemon/tls/test_certificate.py",),
    "daemon/tls/trust.py": ("daemon/tls/test_node.py",),
    "daemon/tls/trust_words.py": ("daemon/tls/test_node.py",),
    "daemon/turn/node.py": ("daemon/app/test_turn.py",),
    "daemon/turn/numbers.py": ("daemon/turn/test_relay.py",),
    "daemon/turn/serve.py": ("cli/test_turn.py",),
    "daemon/turn/worker.py": ("daemon/turn/test_workers.py",),
    "identity/key_message.py": ("identity/test_keys.py",),
    "ipfs/bitswap/config.py": ("ipfs/bitswap/test_client.py", "ipfs/bitswap/test_server.py"),
    "ipfs/bitswap/ledger.py": ("ipfs/bitswap/test_server.py",),
    "ipfs/bitswap/outgoing.py": ("ipfs/bitswap/test_aio.py",),
    "ipfs/bitswap/session.py": ("ipfs/bitswap/test_client.py",),
    "ipfs/bitswap/want.py": ("ipfs/bitswap/test_client.py",),
    "ipfs/blockstore/appender.py": _PARTS,
    "ipfs/blockstore/compaction.py": _PARTS,
    "ipfs/blockstore/disk.py": _STORE,
    "ipfs/blockstore/flusher.py": _STORE,
    "ipfs/blockstore/packfiles.py": _PARTS,
    "ipfs/blockstore/packstore.py": _PARTS,
    "ipfs/blockstore/recovery.py": _PARTS,
    "ipfs/blockstore/repair.py": _PARTS,
    "ipfs/blockstore/store.py": _STORE,
    "ipfs/blockstore/verification.py": _PARTS,
    "ipfs/gateway/deserialized.py": _GATEWAY,
    "ipfs/gateway/gateway.py": _GATEWAY,
    "ipfs/gateway/message.py": _GATEWAY,
    "ipfs/gateway/verifiable.py": _GATEWAY,
    "ipfs/exchange/failure.py": ("ipfs/bitswap/test_aio.py",),
    "ipfs/exchange/retrieval.py": ("ipfs/exchange/test_source.py",),
    "ipfs/exchange/switch.py": ("ipfs/exchange/test_source.py",),
    "ipfs/ipld/cbor_reader.py": _CBOR,
    "ipfs/ipld/cbor_writer.py": _CBOR,
    "ipfs/ipld/json_reader.py": _JSON,
    "ipfs/ipld/json_writer.py": _JSON,
    "ipfs/mfs/files.py": _FILES,
    "ipfs/pins/__init__.py": ("ipfs/pins/test_pins.py",),
    "ipfs/pins/pin.py": ("ipfs/pins/test_pins.py",),
    "ipfs/unixfs/__init__.py": ("ipfs/unixfs/test_paths.py",),
    "ipfs/unixfs/placed.py": ("daemon/http/test_gateway.py",),
    "libp2p/gossipsub/config.py": ("libp2p/gossipsub/test_score.py", "libp2p/gossipsub/test_simulation.py"),
    "libp2p/gossipsub/event.py": ("libp2p/gossipsub/test_router.py",),
    "libp2p/gossipsub/mesh.py": ("libp2p/gossipsub/test_router.py", "libp2p/gossipsub/test_simulation.py"),
    "libp2p/gossipsub/peer.py": ("libp2p/gossipsub/test_router.py",),
    "webrtc/__init__.py": ("webrtc/w3c/test_peer_connection.py",),
    "webrtc/transfer/event.py": ("webrtc/transfer/test_session.py",),
    "libp2p/transports/webrtc_direct/assembly.py": _DIRECT,
    "libp2p/transports/webrtc_direct/config.py": _DIRECT,
    "libp2p/transports/webrtc_direct/connection.py": _DIRECT,
    "libp2p/transports/webrtc_direct/events.py": _DIRECT,
    "libp2p/transports/webrtc_direct/port.py": _DIRECT,
    "libp2p/transports/quic/assembly.py": _QUIC,
    "libp2p/transports/quic/connection.py": _QUIC,
    "libp2p/transports/quic/events.py": _QUIC,
    "libp2p/transports/quic/gate.py": _QUIC,
    "libp2p/transports/quic/port.py": _QUIC,
    "libp2p/transports/quic/stream_state.py": _QUIC,
    "libp2p/yamux/event.py": ("libp2p/yamux/test_session.py", "libp2p/yamux/test_hostile.py"),
    "libp2p/swarm/connection.py": _SWARM,
    "libp2p/swarm/ledger.py": ("libp2p/swarm/test_hostile.py",),
    "libp2p/swarm/stream.py": _SWARM,
    "libp2p/swarm/upgrade.py": _TCP,
    "libp2p/kad/config.py": ("libp2p/kad/test_dht.py",),
    "libp2p/kad/query.py": ("libp2p/kad/test_dht.py",),
    "libp2p/tls/record_keys.py": ("libp2p/tls/test_after_handshake.py", "libp2p/tls/test_records.py"),
    "node/address.py": _CONFIG,
    "node/atomic.py": ("node/test_repository.py",),
    "node/importing.py": _NODE,
    "node/reference.py": ("docs/test_config_page.py",),
    "node/roots.py": _NODE,
    "node/services.py": _NODE,
    "node/setting.py": _CONFIG,
    "node/settings.py": _CONFIG,
    "webrtc/jsep/checks.py": _SESSION,
    "webrtc/jsep/grouping.py": _SESSION,
    "webrtc/jsep/negotiation_needed.py": _SESSION,
    "webrtc/jsep/numbers.py": _SESSION,
    "webrtc/jsep/plan.py": _SESSION,
    "webrtc/jsep/sections.py": _SESSION,
    "webrtc/jsep/transceiver.py": _SESSION,
    "webrtc/jsep/transceivers.py": _SESSION,
    "webrtc/w3c/bundle_transport.py": _CONNECTION,
    "webrtc/w3c/channel_set.py": _CONNECTION,
    "webrtc/w3c/configuration.py": _CONNECTION,
    "webrtc/w3c/ice_candidate.py": _CONNECTION,
    "webrtc/w3c/media_stream_track.py": _CONNECTION,
    "webrtc/w3c/peer_attributes.py": _CONNECTION,
    "webrtc/w3c/peer_media.py": _CONNECTION,
    "webrtc/w3c/rtp_parameters.py": _CONNECTION,
    "webrtc/w3c/rtp_sender.py": _CONNECTION,
    "webrtc/w3c/session_description.py": _CONNECTION,
    "net/mdns/link.py": ("net/mdns/test_aio.py", "libp2p/mdns/test_aio.py"),
    "webrtc/dtls/event.py": ("webrtc/dtls/test_connection.py", "webrtc/dtls/test_hostile.py"),
    "webrtc/ice/events.py": ("webrtc/ice/test_agent.py", "webrtc/ice/test_session.py"),
    "webrtc/ice/relay.py": ("webrtc/ice/test_turn_relay.py", "webrtc/ice/test_gather.py"),
    "webrtc/ice/relays.py": ("webrtc/ice/test_network_change.py", "webrtc/ice/test_turn_relay.py"),
    "webrtc/ice/standing.py": ("webrtc/ice/test_changes.py", "webrtc/ice/test_session.py"),
    "webrtc/ice/told.py": ("webrtc/ice/test_network_change.py", "webrtc/ice/test_session.py"),
    "webrtc/sctp/codes.py": ("webrtc/sctp/test_packet.py", "webrtc/sctp/test_arrivals.py"),
    "webrtc/sctp/control_block.py": ("webrtc/sctp/test_association.py", "webrtc/sctp/test_arrivals.py"),
    "webrtc/sctp/events.py": ("webrtc/sctp/test_association.py", "webrtc/sctp/test_transfer.py"),
    "webrtc/sctp/message.py": ("webrtc/sctp/test_outstanding.py", "webrtc/sctp/test_send_queue.py"),
}


def files_that_test(module: str) -> tuple[str, ...]:
    """The test files that cover a module, as paths below `tests`; none when there are none."""
    if module.startswith("cli/"):
        return _CLI
    own = Path(module).with_name(f"test_{Path(module).name}").as_posix()
    found = (own,) if (TESTS / own).is_file() else ()
    return found + tuple(file for file in ELSEWHERE.get(module, ()) if file != own)


def modules() -> list[str]:
    """Every module that has a mirror, as a path below `src/zwerm`."""
    return sorted(
        path.relative_to(SOURCE).as_posix() for folder in MIRRORED for path in (SOURCE / folder).rglob("*.py")
    )


def module_of(test: Path) -> Path:
    return SOURCE / test.relative_to(TESTS).with_name(test.name.removeprefix("test_"))


def test_every_test_file_stands_where_its_module_does() -> None:
    """A file named for no module is about its folder as a whole: a specification, a property, a kill."""
    lost = []
    for folder in MIRRORED:
        names = {path.name for path in (SOURCE / folder).rglob("*.py")}
        for test in (TESTS / folder).rglob("test_*.py"):
            module = module_of(test)
            if not module.is_file() and not (module.parent.is_dir() and module.name not in names):
                lost.append(test.relative_to(TESTS).as_posix())
    assert lost == []


def test_every_module_of_some_size_is_tested_by_a_file_named_for_it_or_listed() -> None:
    missing = [
        module
        for module in modules()
        if module not in INTERFACES
        and (SOURCE / module).read_text().count("\n") > SMALL
        and not files_that_test(module)
    ]
    assert missing == [], "write their test files, or list in ELSEWHERE which ones cover them"


def test_the_list_names_modules_and_test_files_that_exist() -> None:
    assert [module for module in (*ELSEWHERE, *sorted(INTERFACES)) if not (SOURCE / module).is_file()] == []
    assert [test for tests in ELSEWHERE.values() for test in tests if not (TESTS / test).is_file()] == []
