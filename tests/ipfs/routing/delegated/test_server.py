"""The served endpoint: every path, status and header of the specification that can be told without a network."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from tests.ipfs.routing.test_router import ALICE, BOB, CONTENT, HERE, Broken, Way
from zwerm.core.errors import TransportError
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.exchange.providers import Provider
from zwerm.ipfs.ipns.record import Record
from zwerm.ipfs.ipns.validator import IpnsValidator
from zwerm.ipfs.routing.delegated import server as module
from zwerm.ipfs.routing.delegated.client import IPNS_RECORD, JSON, NDJSON
from zwerm.ipfs.routing.delegated.server import RoutingApi
from zwerm.ipfs.routing.router import Routing
from zwerm.libp2p.kad.message import Peer
from zwerm.libp2p.kad.validator import Namespaces
from zwerm.multiformats.multiaddr import Multiaddr

KEY = PrivateKey.generate()
NAME = PeerId.of(KEY.public)
HOUR = 3_600 * 10**9


def record(sequence: int = 1, ttl: int = 300 * 10**9) -> bytes:
    return Record.create(KEY, f"/ipfs/{CONTENT}", sequence=sequence, validity=time.time_ns() + HOUR, ttl=ttl).encoded


def api(*ways: Way, **options: object) -> RoutingApi:
    return RoutingApi(Routing(ways, Namespaces({"ipns": IpnsValidator(time.time_ns)})), time.time_ns, **options)


async def get(served: RoutingApi, path: str, query: str = "", accept: str = JSON) -> tuple[int, dict[str, str], bytes]:
    answer = await served.respond("GET", f"/routing/v1/{path}", query, accept)
    body = answer.body if isinstance(answer.body, bytes) else b"".join([chunk async for chunk in answer.body])
    return answer.status, answer.headers, body


async def test_providers_are_told_as_a_document() -> None:
    status, headers, body = await get(api(Way("a", Provider(ALICE, (HERE,)))), f"providers/{CONTENT}")
    assert status == 200
    assert json.loads(body) == {
        "Providers": [{"Schema": "peer", "ID": str(ALICE), "Addrs": [str(HERE)], "Protocols": ["transport-bitswap"]}]
    }
    assert headers["Content-Type"] == JSON
    assert headers["Vary"] == "Accept"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Cache-Control"].startswith("public, max-age=300, stale-while-revalidate=172800")


async def test_providers_are_told_as_a_stream_when_asked_for() -> None:
    served = api(Way("a", Provider(ALICE, (HERE,)), Provider(BOB)))
    _, headers, body = await get(served, f"providers/{CONTENT}", accept=f"{NDJSON}, {JSON}")
    assert headers["Content-Type"] == NDJSON
    assert [json.loads(line)["ID"] for line in body.splitlines()] == [str(ALICE), str(BOB)]


async def test_no_providers_are_no_error_and_are_asked_for_again_soon() -> None:
    status, headers, body = await get(api(Way("a")), f"providers/{CONTENT}")
    assert (status, json.loads(body)) == (200, {"Providers": []})
    assert "max-age=15," in headers["Cache-Control"]


async def test_filters_are_applied() -> None:
    served = api(Way("a", Provider(ALICE, (HERE,)), Provider(BOB)))
    _, _, body = await get(served, f"providers/{CONTENT}", "filter-addrs=tcp&filter-protocols=transport-bitswap")
    assert [peer["ID"] for peer in json.loads(body)["Providers"]] == [str(ALICE)]


@pytest.mark.parametrize(
    "text", [str(ALICE), str(ALICE.to_cid()), ALICE.to_cid().encode("base36")], ids=["base58", "base32", "base36"]
)
async def test_a_peer_is_told(text: str) -> None:
    _, _, body = await get(api(Way("a", Provider(ALICE, (HERE,)))), f"peers/{text}")
    assert json.loads(body) == {"Peers": [{"Schema": "peer", "ID": str(ALICE), "Addrs": [str(HERE)]}]}


async def test_a_peer_nobody_knows_is_no_error() -> None:
    status, _, body = await get(api(Way("a")), f"peers/{BOB}", accept=NDJSON)
    assert (status, body) == (200, b"")


async def test_a_name_is_told_with_its_times() -> None:
    status, headers, body = await get(api(Way("a", records=[record()])), f"ipns/{NAME.to_cid()}", accept=IPNS_RECORD)
    assert (status, headers["Content-Type"]) == (200, IPNS_RECORD)
    assert Record.parse(body).sequence == 1
    assert headers["Cache-Control"].startswith("public, max-age=300, stale-while-revalidate=3")
    assert headers["Etag"].startswith('"')


async def test_a_name_without_a_record_is_told_in_another_type() -> None:
    status, headers, _ = await get(api(Way("a")), f"ipns/{NAME.to_cid()}", accept=IPNS_RECORD)
    assert (status, headers["Content-Type"]) == (200, JSON)


async def test_a_name_asked_for_as_json_is_not_acceptable() -> None:
    assert (await get(api(Way("a")), f"ipns/{NAME.to_cid()}"))[0] == 406


async def test_a_record_is_published() -> None:
    way = Way("a")
    encoded = record()
    answer = await api(way).respond("PUT", f"/routing/v1/ipns/{NAME.to_cid()}", "", IPNS_RECORD, encoded)
    assert (answer.status, way.records) == (200, [encoded])


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [(JSON, b"", 406), (IPNS_RECORD, b"nonsense", 400), (IPNS_RECORD, bytes(20_000), 400)],
    ids=["another type", "nonsense", "giant"],
)
async def test_a_bad_record_is_refused(content_type: str, body: bytes, status: int) -> None:
    way = Way("a")
    answer = await api(way).respond("PUT", f"/routing/v1/ipns/{NAME.to_cid()}", "", content_type, body)
    assert (answer.status, way.records) == (status, [])


async def test_a_record_that_nobody_takes_is_told() -> None:
    answer = await api(Broken("a")).respond("PUT", f"/routing/v1/ipns/{NAME.to_cid()}", "", IPNS_RECORD, record())
    assert answer.status == 502


class Near:
    async def find_closest(self, preimage: bytes) -> tuple[Peer, ...]:
        return (Peer(BOB, (bytes(HERE),)),) if preimage == CONTENT.multihash else ()


async def test_the_peers_nearest_to_a_key_are_told() -> None:
    served = api(Way("a"), closest=Near(), read_addresses=lambda given: [Multiaddr.parse(each) for each in given])
    _, _, body = await get(served, f"dht/closest/peers/{CONTENT}")
    assert json.loads(body)["Peers"] == [{"Schema": "peer", "ID": str(BOB), "Addrs": [str(HERE)]}]
    assert (await get(served, f"dht/closest/peers/{ALICE}"))[0] == 404
    assert (await get(api(Way("a")), f"dht/closest/peers/{CONTENT}"))[0] == 501


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("", 400),
        ("x", 400),
        ("providers", 501),
        ("providers/x", 422),
        ("peers/x", 422),
        ("ipns/x", 422),
        ("providers/a/b", 501),
    ],
)
async def test_wrong_paths_have_their_status(path: str, status: int) -> None:
    assert (await get(api(Way("a")), path, accept=IPNS_RECORD))[0] == status


async def test_other_methods_are_not_implemented() -> None:
    assert (await api(Way("a")).respond("PUT", f"/routing/v1/providers/{CONTENT}", "", JSON)).status == 501


async def test_pages_may_ask() -> None:
    answer = await api(Way("a")).respond("OPTIONS", f"/routing/v1/providers/{CONTENT}", "", "")
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]


async def test_too_many_at_once_are_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REQUESTS", 1)
    served = api(Way("a", hangs=True))
    first = asyncio.create_task(served.respond("GET", f"/routing/v1/peers/{ALICE}", "", JSON))
    await asyncio.sleep(0)
    status, headers, _ = await get(served, f"peers/{BOB}")
    assert (status, headers["Retry-After"]) == (429, "5")
    first.cancel()
    await asyncio.wait([first])


async def test_a_way_that_never_answers_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    served = api(Way("a", Provider(ALICE), hangs=True))
    assert (await get(served, f"peers/{BOB}"))[0] == 504
    _, _, body = await get(served, f"providers/{CONTENT}", accept=NDJSON)
    assert json.loads(body)["ID"] == str(ALICE)


async def test_failure_of_all_is_a_bad_gateway() -> None:
    class Failing(Routing):
        async def find_peer(self, peer: PeerId) -> tuple[Multiaddr, ...]:
            raise TransportError("closed")

    served = RoutingApi(Failing([], Namespaces({})), time.time_ns)
    assert (await get(served, f"peers/{BOB}"))[0] == 502
