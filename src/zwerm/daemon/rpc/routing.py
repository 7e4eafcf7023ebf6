"""`routing/*`, `dht/query`, `provide/stat`: who has what, and where peers are (Kubo, "RPC API", `/api/v0/routing/...`).

Answers are Kubo's query events: `Type` says what one tells, `ID` who, `Responses` peers with addresses, `Extra` text.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any, Final

from zwerm.core.errors import WireError, ZwermError
from zwerm.daemon.rpc.body import Body, read_one
from zwerm.daemon.rpc.errors import CommandError, UsageError
from zwerm.daemon.rpc.online import network_of, parse_peer
from zwerm.daemon.rpc.records import newest_record
from zwerm.daemon.rpc.registry import Context, OptionKind, argument, command, file_argument, flag, option

if TYPE_CHECKING:
    from zwerm.identity.peer_id import PeerId
    from zwerm.ipfs.providing.providing import Providing
    from zwerm.libp2p.kad.aio import Kad
    from zwerm.multiformats.cid import CID
    from zwerm.multiformats.multiaddr import Multiaddr
    from zwerm.node.network_routing import NodeRouting

FINAL_PEER: Final = 2  # the types of query events that are told
PROVIDER: Final = 4
VALUE: Final = 5

_RECORD_LIMIT: Final = 10_240  # bytes of a record
_NAMESPACES: Final = ("ipns", "pk")
_VERBOSE: Final = flag("verbose", "v", text="Accepted as Kubo does: only results are told.", display=True)


@command(
    "routing/findprovs",
    "Find who has some content",
    arguments=[argument("key", "Addresses of content.", variadic=True, stdin=True)],
    options=[_VERBOSE, option("num-providers", "n", kind=OptionKind.INT, text="So many are enough.", default=20)],
)
async def routing_findprovs(
    context: Context, key: Sequence[str], num_providers: int = 20
) -> AsyncGenerator[dict[str, Any], None]:
    if num_providers < 1:
        raise UsageError(f"--num-providers is {num_providers}, expected at least 1")
    routing = _ways(context).routing
    for text in key:
        cid = await context.resolve(text)
        found: set[PeerId] = set()
        async with contextlib.aclosing(routing.find_providers(cid)) as providers:
            async for provider in providers:
                if provider.peer not in found:
                    yield _event(PROVIDER, responses=[(provider.peer, provider.addresses)])
                found.add(provider.peer)
                if len(found) == num_providers:
                    break


@command(
    "routing/findpeer",
    "Find where a peer is",
    arguments=[argument("peerid", "IDs of peers.", variadic=True, stdin=True)],
    options=[_VERBOSE],
)
async def routing_findpeer(context: Context, peerid: Sequence[str]) -> AsyncGenerator[dict[str, Any], None]:
    network = network_of(context)
    for text in peerid:
        peer, _ = parse_peer(text)
        addresses = [connection.remote_address for connection in network.swarm.connections_to(peer)]
        addresses = addresses or list(network.swarm.peers.addresses(peer))
        addresses = addresses or list(await network.ways.routing.find_peer(peer))
        if not addresses:
            raise CommandError(f"{peer} was not found")
        yield _event(FINAL_PEER, responses=[(peer, addresses)])


@command(
    "routing/get",
    "Get the record of a name or a key",
    arguments=[argument("key", "/ipns/NAME or /pk/PEER.", variadic=True, stdin=True)],
    options=[_VERBOSE],
)
async def routing_get(context: Context, key: Sequence[str]) -> AsyncGenerator[dict[str, Any], None]:
    """One's own record, or one that was seen, counts beside those of others: so one's own is always found."""
    from zwerm.ipfs.ipns.name import from_routing_key

    for text in key:
        name = _key(text)
        if name.startswith(b"/ipns/"):
            record = await newest_record(context, from_routing_key(name))
            value = None if record is None else record.encoded
        else:
            value = await _ways(context).routing.find_value(name)
        if value is None:
            raise CommandError(f"no record of {text} was found")
        yield _event(VALUE, extra=base64.b64encode(value).decode())


@command(
    "routing/put",
    "Put the record of a name or a key",
    arguments=[argument("key", "/ipns/NAME or /pk/PEER."), file_argument("value-file", "The record.")],
    options=[_VERBOSE, flag("allow-offline", text="Accepted as Kubo does.", display=True)],
)
async def routing_put(context: Context, key: str, body: Body) -> AsyncGenerator[dict[str, Any], None]:
    routing, name = _ways(context).routing, _key(key)
    value = await read_one(body, _RECORD_LIMIT)
    try:
        took = await routing.put_value(name, value)
    except WireError as error:
        raise CommandError(f"not a valid record of {key}: {error}") from None
    yield _event(VALUE, identity=str(context.node.identity), extra=_encoded(", ".join(took)))


@command(
    "routing/provide",
    "Tell others that this node has some content",
    arguments=[argument("key", "Addresses of content that is here.", variadic=True, stdin=True)],
    options=[
        _VERBOSE,
        flag("recursive", "r", text="Tell of everything below it, too."),
    ],
)
async def routing_provide(
    context: Context, key: Sequence[str], recursive: bool = False
) -> AsyncGenerator[dict[str, Any], None]:
    ways = _ways(context)
    if ways.providing is None:
        raise CommandError("this node tells nobody what it has: see the settings provide.strategy and routing.dht")
    cids = [await context.resolve(text) for text in key]
    for cid in cids:
        if not context.node.store.has(cid):
            raise CommandError(f"{context.text(cid)} is not here, so this node cannot provide it")
    for cid in cids:
        told = await ways.routing.provide(cid)
        if not told:
            raise CommandError(f"nobody could be told of {context.text(cid)} now; it is tried again by itself")
        if recursive:
            async for below in _below(context, cid):
                ways.providing.add([below.multihash])
        yield _event(VALUE, identity=str(context.node.identity), extra=_encoded(f"{told} servers"))


@command(
    "dht/query",
    "Find the servers of the DHT nearest to a peer's ID",
    arguments=[argument("peerid", "IDs of peers.", variadic=True)],
    options=[_VERBOSE],
)
async def dht_query(context: Context, peerid: Sequence[str]) -> AsyncGenerator[dict[str, Any], None]:
    dht = _dht(context)
    for text in peerid:
        peer, _ = parse_peer(text)
        closest = await dht.find_closest(peer.multihash)
        if not closest:
            raise CommandError("no server of the DHT could be reached")
        for found in closest:
            yield _event(FINAL_PEER, identity=str(found.peer))


@command(
    "stats/dht",
    "Show the routing tables of the DHTs",
    arguments=[argument("dht", "wan, lan, or both when not given.", required=False, variadic=True)],
)
async def stats_dht(context: Context, dht: Sequence[str] = ()) -> AsyncGenerator[dict[str, Any], None]:
    ways, swarm = _ways(context), network_of(context).swarm
    known = {"wan": ways.wan, "lan": ways.lan}
    for name in dht or known:
        if name not in known:
            raise UsageError(f"DHT {name!r}, expected wan or lan")
        kad = known[name]
        if kad is None:
            continue
        told = kad.statistics()
        buckets: list[dict[str, Any]] = [{"LastRefresh": "", "Peers": []} for _ in told.buckets]
        for index, peer in kad.contacts():
            row = {"ID": str(peer), "Connected": bool(swarm.connections_to(peer))}
            buckets[index]["Peers"].append(row | {"AgentVersion": swarm.peers.agent(peer)})
        yield {
            "Name": name,
            "Buckets": buckets,
            "IsServer": told.is_server,
            "NetworkSize": told.network_size,
            "ProviderRecords": told.provider_records,
            "Records": told.records,
            "RequestsAnswered": told.requests_answered,
            "RequestsRefused": told.requests_refused,
            "RequestsSent": told.requests_sent,
        }


@command(
    "provide/once",
    "Tell others now that this node has some content, and put it on no list",
    arguments=[argument("cid", "Addresses of content that is here.", variadic=True, stdin=True)],
    options=[flag("recursive", "r", text="Tell of everything below it, too.")],
    experimental=True,
)
async def provide_once(
    context: Context, cid: Sequence[str], recursive: bool = False
) -> AsyncGenerator[dict[str, Any], None]:
    network = network_of(context)
    if not network.swarm.connections:
        raise CommandError("cannot provide: no connected peers")
    roots = [await context.resolve(text) for text in cid]
    for root in roots:
        if not context.node.store.has(root):
            raise CommandError(f"block {context.text(root)} not found locally, cannot provide")
    if not network.ways.dhts:
        raise CommandError("this node is in no DHT: the setting routing.dht is off")
    seen: set[bytes] = set()
    for root in roots:
        async with contextlib.aclosing(_below(context, root) if recursive else _only(root)) as below:
            async for each in below:
                if each.multihash not in seen:
                    seen.add(each.multihash)
                    await _tell(network.ways, each)
                    yield {"Queued": context.text(each)}


async def _only(cid: CID) -> AsyncGenerator[CID, None]:
    yield cid


async def _tell(ways: NodeRouting, cid: CID) -> None:
    """Tell both DHTs; one that nobody can be reached in is passed over."""
    for kad in ways.dhts:
        with contextlib.suppress(ZwermError):
            await kad.provide(cid.multihash)


@command("provide/stat", "Show what others are told that this node has")
async def provide_stat(context: Context) -> dict[str, Any]:
    told = providing_of(context).statistics()
    return {
        "Keys": told.keys,
        "Pending": told.pending,
        "Rounds": told.rounds,
        "Progress": round(told.progress, 4),
        "RecordsSent": told.records_sent,
        "Lookups": told.lookups,
        "Failures": told.failures,
    }


@command("stats/provide", "Show what others are told that this node has")
async def stats_provide(context: Context) -> dict[str, Any]:
    return await provide_stat(context)  # type: ignore[no-any-return]


@command("stats/reprovide", "Show what others are told that this node has")
async def stats_reprovide(context: Context) -> dict[str, Any]:
    return await provide_stat(context)  # type: ignore[no-any-return]


def providing_of(context: Context) -> Providing:
    """Return what keeps others told; a `CommandError` where nobody is told."""
    providing = _ways(context).providing
    if providing is None:
        raise CommandError("this node tells nobody what it has: see the settings provide.strategy and routing.dht")
    return providing


def _ways(context: Context) -> NodeRouting:
    ways = network_of(context).ways
    if not ways.routing.routers:
        raise CommandError("nobody can be asked: the setting routing.dht is off, and routing.delegated is empty")
    return ways


def _dht(context: Context) -> Kad:
    dht = _ways(context).active_dht
    if dht is None:
        raise CommandError("this node is in no DHT: the setting routing.dht is off")
    return dht


async def _below(context: Context, cid: CID) -> AsyncGenerator[CID, None]:
    """Yield what is below a root and here, the root first."""
    from zwerm.ipfs.ipld.traverse import walk

    async with contextlib.aclosing(walk(context.node.source.local, [cid])) as blocks:
        async for below, _ in blocks:
            yield below


def _key(text: str) -> bytes:
    """Read a record's key as people write it: its name is a peer ID, in the key the bytes of that ID."""
    from zwerm.identity.peer_id import PeerId

    parts = text.split("/")
    if len(parts) != 3 or parts[0] or parts[1] not in _NAMESPACES:
        raise UsageError(f"key {text!r}, expected /ipns/NAME or /pk/PEER")
    try:
        return f"/{parts[1]}/".encode() + PeerId.from_text(parts[2]).multihash
    except WireError as error:
        raise UsageError(f"key {text!r}: {error}") from None


def _encoded(text: str) -> str:
    """Clients read the text of a value as base64, whatever it is."""
    return base64.b64encode(text.encode()).decode()


def _event(
    kind: int, *, identity: str = "", responses: Sequence[tuple[PeerId, Sequence[Multiaddr]]] = (), extra: str = ""
) -> dict[str, Any]:
    found = [{"ID": str(peer), "Addrs": list(map(str, addresses))} for peer, addresses in responses]
    return {"Extra": extra, "ID": identity, "Responses": found or None, "Type": kind}
