"""Trustless Gateway specification (2026-03-05): a test for each sentence that says MUST or SHOULD to a gateway.

Sentences to clients, to operators (certificates, HTTP/2 in front) and about limits on connections are not a
request's answer and stand elsewhere.
"""

from __future__ import annotations

import pytest

from tests.ipfs.gateway.site import SMALL_CHUNKS, Site, blocks_of
from zwerm.ipfs.block import Block
from zwerm.ipfs.car.reader import CarReader
from zwerm.ipfs.gateway.gateway import GatewayConfig
from zwerm.ipfs.ipld import codec
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.names import ResolvedName
from zwerm.ipfs.unixfs import Profile
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

RAW, CAR, RECORD = "application/vnd.ipld.raw", "application/vnd.ipld.car", "application/vnd.ipfs.ipns-record"
ABSENT = CID.of(b"not here")
CONTENT = bytes(range(256)) * 40  # ten chunks of 1024 bytes, all the same
VARIED = b"".join(bytes([number]) * 1024 for number in range(10))


def chunk(number: int) -> CID:
    return CID.of(bytes([number]) * 1024)


@pytest.mark.parametrize("asked", [{"query": "?format=raw"}, {"accept": RAW}])
async def test_raw_blocks_are_supported(asked: dict[str, str]) -> None:
    """Below response types MUST be supported: application/vnd.ipld.raw. The Body hash MUST match the Multihash."""
    site = Site()
    cid = await site.directory({"a": b"a"})
    answer = await site.get(f"/ipfs/{cid}{asked.get('query', '')}", accept=asked.get("accept", ""))
    assert answer.headers["Content-Type"] == RAW
    assert Block.check(cid, answer.body)


@pytest.mark.parametrize("asked", [{"query": "?format=car"}, {"accept": CAR}])
async def test_cars_are_supported(asked: dict[str, str]) -> None:
    """Below response types SHOULD be supported: application/vnd.ipld.car."""
    site = Site()
    cid = site.file(VARIED)
    answer = await site.get(f"/ipfs/{cid}{asked.get('query', '')}", accept=asked.get("accept", ""))
    assert blocks_of(answer.body) == [cid, *(chunk(number) for number in range(10))]


async def test_ipns_records_are_supported() -> None:
    """Below response types SHOULD be supported: application/vnd.ipfs.ipns-record."""
    site = Site()
    key = "k51qzi5uqu5dm4tm0wt8srkg9h9suud4wuiwjimndrkydqm81cqtlb5ak6p7ku"
    site.names.known[key] = ResolvedName(ContentPath.of(ABSENT), 60, b"a signed record")
    answer = await site.get(f"/ipns/{key}", accept=RECORD)
    assert (answer.status, answer.body) == (200, b"a signed record")
    assert answer.headers["Content-Type"] == RECORD
    assert (await site.get(f"/ipns/{key}/path?format=ipns-record")).status == 400
    assert (await site.get(f"/ipfs/{ABSENT}?format=ipns-record")).status == 400


async def test_strict_mode_needs_an_accept_header() -> None:
    """A Gateway SHOULD return HTTP 400 when running in strict trustless mode and Accept header is missing."""
    site = Site(GatewayConfig(deserialized=False))
    cid = site.file(b"a")
    assert (await site.get(f"/ipfs/{cid}")).status == 400
    assert (await site.get(f"/ipfs/{cid}", accept="text/html")).status == 406
    assert (await site.get(f"/ipfs/{cid}?format=tar")).status == 406
    assert (await site.get(f"/ipfs/{cid}", accept=RAW)).status == 200
    assert (await site.get(f"/ipfs/{cid}?format=car")).status == 200


async def test_only_if_cached_is_412_without_the_root_block() -> None:
    """When received, gateway SHOULD return HTTP 412 if the root block is not immediately available."""
    answer = await Site().get(f"/ipfs/{ABSENT}?format=raw", cache_control="only-if-cached")
    assert answer.status == 412


async def test_format_takes_precedence_over_accept() -> None:
    """When both Accept HTTP header and format query parameter are present, format SHOULD take precedence."""
    site = Site()
    assert (await site.get(f"/ipfs/{site.file(b'a')}?format=raw", accept=CAR)).headers["Content-Type"] == RAW


async def test_dag_scope_block_is_the_block_alone() -> None:
    site = Site()
    cid = site.file(VARIED)
    root = await site.directory({"a": cid})
    assert blocks_of((await site.get(f"/ipfs/{root}/a?format=car&dag-scope=block")).body) == [root, cid]


async def test_dag_scope_entity_is_the_file_or_the_listing() -> None:
    site = Site()
    cid = site.file(VARIED)
    root = await site.directory({"a": cid})
    assert blocks_of((await site.get(f"/ipfs/{root}?format=car&dag-scope=entity")).body) == [root]
    whole = blocks_of((await site.get(f"/ipfs/{root}/a?format=car&dag-scope=entity")).body)
    assert whole == [root, cid, *map(chunk, range(10))]


async def test_a_sharded_listing_has_its_shards() -> None:
    site = Site()
    root = await site.directory({f"name-{number}": b"x" for number in range(40)}, Profile(hamt_threshold=100))
    blocks = blocks_of((await site.get(f"/ipfs/{root}?format=car&dag-scope=entity")).body)
    assert len(blocks) > 1
    assert CID.of(b"x") not in blocks


async def test_entity_bytes_gives_the_minimal_set_of_blocks() -> None:
    """A Gateway MUST return only the minimal set of blocks necessary to verify the specified byte range."""
    site = Site()
    cid = site.file(VARIED)
    answer = await site.get(f"/ipfs/{cid}?format=car&entity-bytes=3000:4100")
    assert blocks_of(answer.body) == [cid, chunk(2), chunk(3), chunk(4)]
    assert len(site.source.asked) < 8


async def test_entity_bytes_of_what_is_no_run_of_bytes_is_ignored() -> None:
    """The parameter MUST be ignored, and the request is equivalent to dag-scope=entity."""
    site = Site()
    for cid in (await site.directory({"a": b"a"}), site.node({"a": 1})):
        answer = await site.get(f"/ipfs/{cid}?format=car&entity-bytes=0:5")
        assert (answer.status, blocks_of(answer.body)) == (200, [cid])


async def test_the_etag_says_scope_bytes_and_duplicates() -> None:
    """A Gateway MUST augment the returned Etag based on the passed entity-bytes."""
    site = Site()
    cid = site.file(VARIED)
    queries = ["", "&dag-scope=block", "&dag-scope=entity", "&entity-bytes=0:5", "&entity-bytes=0:6", "&car-dups=y"]
    etags = [(await site.get(f"/ipfs/{cid}?format=car{query}")).headers["Etag"] for query in queries]
    assert len(set(etags)) == len(queries)


async def test_a_range_outside_the_entity_is_400() -> None:
    """A Gateway SHOULD return HTTP 400 when the requested range is entirely outside of the entity's byte range."""
    site = Site()
    assert (await site.get(f"/ipfs/{site.file(VARIED)}?format=car&entity-bytes=20000:30000")).status == 400


async def test_a_range_partly_outside_gives_what_is_inside() -> None:
    """The response MUST include the subset of blocks within the entity's bytes."""
    site = Site()
    cid = site.file(VARIED)
    assert blocks_of((await site.get(f"/ipfs/{cid}?format=car&entity-bytes=9300:999999")).body) == [cid, chunk(9)]
    assert blocks_of((await site.get(f"/ipfs/{cid}?format=car&entity-bytes=-99999:10")).body) == [cid, chunk(0)]


async def test_an_empty_range_gives_the_root_block() -> None:
    """A Gateway MUST return a valid CAR that includes enough blocks for the client to understand why."""
    site = Site()
    cid = site.file(VARIED)
    assert blocks_of((await site.get(f"/ipfs/{cid}?format=car&entity-bytes=500:10")).body) == [cid]


@pytest.mark.parametrize("query", ["dag-scope=some", "entity-bytes=x", "car-version=2", "car-order=bfs", "car-dups=z"])
async def test_parameters_that_say_nothing_are_400(query: str) -> None:
    site = Site()
    assert (await site.get(f"/ipfs/{site.file(b'a')}?format=car&{query}")).status == 400


@pytest.mark.parametrize("parameter", ["car-version=1", "car-order=dfs", "car-dups=y"])
async def test_car_parameters_in_the_url_take_precedence(parameter: str) -> None:
    """The URL query parameter SHOULD take precedence and a matching Content-Location SHOULD be returned."""
    site = Site()
    cid = site.file(CONTENT)
    answer = await site.get(f"/ipfs/{cid}?{parameter}", accept=f"{CAR}; version=1; order=unk; dups=n")
    name, value = parameter.removeprefix("car-").split("=")
    assert f"{name}={value}" in answer.headers["Content-Type"]
    assert parameter in answer.headers["Content-Location"]


async def test_a_missing_root_block_is_404() -> None:
    """A Trustless Gateway MUST return 404 Not Found when the root block is not available in its storage."""
    site = Site()
    for query in ("?format=raw", "?format=car"):
        for method in ("GET", "HEAD"):
            assert (await site.get(f"/ipfs/{ABSENT}{query}", method=method)).status == 404


async def test_a_missing_child_ends_the_stream() -> None:
    """The gateway SHOULD terminate the stream (potentially with an incomplete CAR)."""
    site = Site()
    cid = site.file(VARIED)
    site.store.delete([chunk(5)])
    with pytest.raises(LookupError):
        await site.get(f"/ipfs/{cid}?format=car")


async def test_content_that_is_not_here_is_no_server_error() -> None:
    """SHOULD return 500 only for genuine server errors, not for content unavailability."""
    site = Site()
    root = await site.directory({"a": b"a"})
    assert (await site.get(f"/ipfs/{root}/b?format=car")).status == 404


async def test_the_content_type_says_version_order_and_dups() -> None:
    """MUST always respond with a Content-Type that includes all known parameters, even if not specified."""
    site = Site()
    answer = await site.get(f"/ipfs/{site.file(b'a')}?format=car")
    assert answer.headers["Content-Type"] == f"{CAR}; version=1; order=dfs; dups=n"


async def test_the_header_version_is_the_one_in_the_content_type() -> None:
    """CarV1Header.version MUST match the version parameter returned in Content-Type header."""
    site = Site()
    body = (await site.get(f"/ipfs/{site.file(b'a')}?format=car")).body
    header = codec.decode(multicodec.DAG_CBOR, body[1 : 1 + body[0]])
    assert header["version"] == 1


@pytest.mark.parametrize(("form", "suffix"), [("raw", "bin"), ("car", "car")])
async def test_content_disposition_is_attachment(form: str, suffix: str) -> None:
    """MUST be returned and set to attachment to ensure requested bytes are not rendered by a web browser."""
    site = Site()
    cid = site.file(b"a")
    headers = (await site.get(f"/ipfs/{cid}?format={form}")).headers
    assert headers["Content-Disposition"] == f'attachment; filename="{cid}.{suffix}"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    named = (await site.get(f"/ipfs/{cid}?format={form}&filename=x.y")).headers
    assert named["Content-Disposition"] == 'attachment; filename="x.y"'


@pytest.mark.parametrize("form", ["raw", "car"])
async def test_an_etag_is_returned(form: str) -> None:
    """Etag MUST be returned and follow the recommendations."""
    site = Site()
    assert f".{form}" in (await site.get(f"/ipfs/{site.file(b'a')}?format={form}")).headers["Etag"]


async def test_duplicates_are_sent_once_unless_asked_for() -> None:
    """dups=y: MUST be sent every time they occur. dups=n: MUST be sent only once."""
    site = Site()
    cid = site.file(CONTENT, SMALL_CHUNKS)
    once = await site.get(f"/ipfs/{cid}", accept=f"{CAR};dups=n")
    often = await site.get(f"/ipfs/{cid}", accept=f"{CAR};dups=y")
    assert len(blocks_of(once.body)) == 2
    assert len(blocks_of(often.body)) == 11
    assert "dups=y" in often.headers["Content-Type"]


async def test_identity_blocks_are_never_included() -> None:
    """A Gateway MUST NOT include virtual blocks identified by identity CIDs in CAR responses."""
    site = Site()
    inline = CID.of(b"inline", hash_code=multicodec.IDENTITY)
    cid = site.node([inline, site.file(b"x")])
    assert blocks_of((await site.get(f"/ipfs/{cid}?format=car&car-dups=y")).body) == [cid, CID.of(b"x")]


async def test_probe_path_for_blocks() -> None:
    """For block requests it MUST return 200 OK and an empty body; HEAD MUST be supported."""
    for method in ("GET", "HEAD"):
        answer = await Site().get("/ipfs/bafkqaaa?format=raw", method=method)
        assert (answer.status, answer.body) == (200, b"")


async def test_probe_path_for_cars() -> None:
    """It MUST return 200 OK and a valid CAR with CAR Header roots set to bafkqaaa."""
    answer = await Site().get("/ipfs/bafkqaaa?format=car")
    reader = CarReader()
    reader.receive_data(answer.body)
    reader.receive_eof()
    assert answer.status == 200
    assert list(reader.roots or ()) == [CID.from_text("bafkqaaa")]


async def test_car_paths_are_validated() -> None:
    """SHOULD validate path components to prevent unexpected DAG traversal behavior."""
    site = Site()
    cid = await site.directory({"a": b"a"})
    for path in ("..", "a/../..", "/".join(["a"] * 2000)):
        assert (await site.get(f"/ipfs/{cid}/{path}?format=car")).status == 400
