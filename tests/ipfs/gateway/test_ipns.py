"""The gateway specifications' cases of `/ipns/`: real records, by a resolver that verifies them.

Path Gateway, Subdomain Gateway and Trustless Gateway specifications; the records are those of their conformance suite.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from tests.ipfs.gateway.site import Site
from tests.ipfs.ipns.vectors import NOW, Vector, vector, vectors
from zwerm.ipfs.database import Database
from zwerm.ipfs.dnslink.resolver import DnslinkResolver
from zwerm.ipfs.gateway.gateway import Gateway
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.ipns.name import from_routing_key, to_text
from zwerm.ipfs.ipns.record import Record
from zwerm.ipfs.ipns.resolver import IpnsResolver
from zwerm.ipfs.ipns.store import RecordStore
from zwerm.ipfs.names import NameResolver, Names, ResolvedName
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID
from zwerm.net.dns import Answer, DnsFailed

VALID = [case for case in vectors() if case.path is not None and "bafkqa" in case.path]
REFUSED = [case for case in vectors() if case.path is None]


class Network:
    """The suite's records and domains, as a network that gives them unverified."""

    label = "vectors"

    def __init__(self) -> None:
        self.records = {case.name: case.encoded for case in vectors()}
        self.links = {
            "over-ipns.example": f"/ipns/{vector('ed25519 of Kubo').name}",
            "inlined-over-ipns.example": f"/ipns/{to_text(vector('rsa of Kubo').name)}",
        }

    async def find_records(self, key: bytes) -> AsyncGenerator[bytes, None]:
        if (record := self.records.get(from_routing_key(key))) is not None:
            yield record

    async def put_record(self, key: bytes, record: bytes) -> None:
        raise AssertionError(f"a gateway publishes nothing: {key!r} {record!r}")

    async def texts(self, name: str) -> Answer:
        if "broken" in name:
            raise DnsFailed("the name server is broken")
        link = self.links.get(name.removeprefix("_dnslink."))
        return Answer((f"dnslink={link}",) if link else (), 60.0)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    database = Database(tmp_path / "index.sqlite")
    network, site = Network(), Site()
    resolver = IpnsResolver(RecordStore(database), [network], clock=lambda: NOW, timer=lambda: 0.0)
    site.gateway = Gateway(site.source, None, Names(resolver, DnslinkResolver(network, timer=lambda: 0.0)))
    yield site
    database.close()


def body(case: Vector) -> bytes:
    assert case.path is not None
    return CID.from_text(case.path.removeprefix("/ipfs/")).multihash[2:]


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.case)
async def test_content_behind_a_valid_record_is_served(site: Site, case: Vector) -> None:
    answer = await site.get(f"/ipns/{to_text(case.name)}")
    assert (answer.status, answer.body) == (200, body(case))
    assert answer.headers["Cache-Control"] == "public, max-age=1800"


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.case)
async def test_a_record_that_cannot_be_believed_is_5xx_and_shows_nothing(site: Site, case: Vector) -> None:
    answer = await site.get(f"/ipns/{to_text(case.name)}")
    assert answer.status == 502
    assert b"IPNS record" in answer.body


async def test_a_domain_that_could_not_be_looked_up_is_502_and_one_without_a_link_404(site: Site) -> None:
    assert (await site.get("/ipns/broken.example")).status == 502
    assert (await site.get("/ipns/missing.example")).status == 404


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        (
            "12D3KooWRBy97UB99e3J6hiPesre1MZeuNQvfan4gBziswrRJsNK",
            "k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8",
        ),
        ("QmcJM7PRfkSbcM5cf1QugM5R37TLRKyJGgBEhXjLTB8uA2", "k2k4r8ol4m8kkcqz509c1rcjwunebj02gcnm5excpx842u736nja8ger"),
    ],
    ids=["ed25519", "rsa"],
)
async def test_other_forms_of_a_key_are_sent_to_the_canonical_one(site: Site, name: str, canonical: str) -> None:
    answer = await site.get(f"/ipns/{name}/root2/?x=y")
    assert (answer.status, answer.headers["Location"]) == (302, f"/ipns/{canonical}/root2/?x=y")


@pytest.mark.parametrize("case", ["ed25519 of Kubo", "rsa of Kubo"])
async def test_keys_have_origins_of_their_own(site: Site, case: str) -> None:
    name = vector(case).name
    content = site.file(b"hello\n")
    site.gateway._names = _Fixed(site.gateway._names, content)
    for form in (str(name), to_text(name), name.to_cid().encode("base32")):
        answer = await site.get(f"/ipns/{form}", host="localhost:8080")
        assert (answer.status, answer.headers["Location"]) == (301, f"http://{to_text(name)}.ipns.localhost:8080/")
    answer = await site.get("/", host=f"{to_text(name)}.ipns.localhost:8080")
    assert (answer.status, answer.body) == (200, b"hello\n")
    old = CID(1, multicodec.DAG_PB, name.multihash).encode("base36")
    answer = await site.get("/a?b=c", host=f"{old}.ipns.localhost:8080")
    assert (answer.status, answer.headers["Location"]) == (301, f"http://{to_text(name)}.ipns.localhost:8080/a?b=c")


@pytest.mark.parametrize("label", ["over--ipns-example", "inlined--over--ipns-example"])
async def test_a_dnslink_to_a_key_is_followed_on_its_own_origin(site: Site, label: str) -> None:
    content = site.file(b"hello\n")
    site.gateway._names = _Fixed(site.gateway._names, content)
    answer = await site.get("/", host=f"{label}.ipns.localhost")
    assert (answer.status, answer.body) == (200, b"hello\n")


@pytest.mark.parametrize("asked", [{"query": "?format=ipns-record"}, {"accept": "application/vnd.ipfs.ipns-record"}])
@pytest.mark.parametrize("case", ["v1-v2", "v2"])
async def test_the_record_itself_is_given_and_verifies(site: Site, case: str, asked: dict[str, str]) -> None:
    name = vector(case).name
    answer = await site.get(f"/ipns/{to_text(name)}{asked.get('query', '')}", accept=asked.get("accept", ""))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/vnd.ipfs.ipns-record"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Cache-Control"] == "public, max-age=1800"
    record = Record.parse(answer.body)
    record.verify(name, NOW)
    assert str(record.path) == vector(case).path


async def test_a_record_is_saved_under_the_name_that_was_asked_for(site: Site) -> None:
    name = to_text(vector("v2").name)
    answer = await site.get(f"/ipns/{name}?format=ipns-record&filename=test%D1%82%D0%B5%D1%81%D1%82.ipns-record")
    assert "filename*=UTF-8''test%D1%82%D0%B5%D1%81%D1%82.ipns-record" in answer.headers["Content-Disposition"]


class _Fixed:
    """Names that resolve as they do, and then point at content of this test's."""

    def __init__(self, names: NameResolver, content: CID) -> None:
        self.names = names
        self.content = content

    async def resolve(self, name: str) -> ResolvedName:
        found = await self.names.resolve(name)
        assert found.path.namespace == "ipfs"
        return dataclasses.replace(found, path=ContentPath.of(self.content))
