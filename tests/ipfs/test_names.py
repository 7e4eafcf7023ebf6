"""Names: keys by their records, domains by their DNSLinks, and both through one another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ipfs.ipns.vectors import HOUR, NOW, PATH, signed
from zwerm.core.errors import ResourceLimitError
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.database import Database
from zwerm.ipfs.dnslink.resolver import DnslinkResolver
from zwerm.ipfs.ipns.name import to_text
from zwerm.ipfs.ipns.record import RecordRefused
from zwerm.ipfs.ipns.resolver import IpnsResolver
from zwerm.ipfs.ipns.store import RecordStore
from zwerm.ipfs.names import MAX_NAMES, NameNotFound, Names, NoNames
from zwerm.net.dns import Answer, DnsFailed

KEY = PrivateKey.generate()
NAME = PeerId.of(KEY.public)


class Texts:
    """A name system in memory."""

    def __init__(self) -> None:
        self.links: dict[str, str] = {}

    async def texts(self, name: str) -> Answer:
        domain = name.removeprefix("_dnslink.")
        if domain.startswith("broken"):
            raise DnsFailed(f"{domain} could not be looked up")
        return Answer((f"dnslink={self.links[domain]}",) if domain in self.links else (), 300.0)


@pytest.fixture
def texts() -> Texts:
    return Texts()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RecordStore]:
    database = Database(tmp_path / "index.sqlite")
    yield RecordStore(database)
    database.close()


@pytest.fixture
def names(store: RecordStore, texts: Texts) -> Names:
    ipns = IpnsResolver(store, [], clock=lambda: NOW, timer=lambda: 0.0)
    return Names(ipns, DnslinkResolver(texts, timer=lambda: 0.0))


async def test_no_names_know_nothing() -> None:
    with pytest.raises(NameNotFound, match=r"nothing is published under /ipns/example\.org") as caught:
        await NoNames().resolve("example.org")
    assert caught.value.name == "example.org"


async def test_a_key_leads_to_what_its_record_says(names: Names, store: RecordStore) -> None:
    record = signed(KEY, f"{PATH}/a")
    store.publish(NAME, record, HOUR, NOW)
    for text in (str(NAME), to_text(NAME)):
        found = await names.resolve(text)
        assert str(found.path) == f"{PATH}/a"
        assert found.time_to_live == 3_600
        assert found.record == record.encoded


async def test_a_domain_leads_through_a_key_and_paths_add_up(names: Names, store: RecordStore, texts: Texts) -> None:
    store.publish(NAME, signed(KEY, f"{PATH}/a"), HOUR, NOW)
    texts.links = {"site.example": f"/ipns/{NAME}/b", "www.example": "/ipns/site.example/c"}
    found = await names.resolve("www.example")
    assert str(found.path) == f"{PATH}/a/b/c"
    assert found.time_to_live == 300, "the shortest on the way"
    assert found.record is None
    assert str((await names.step("www.example")).path) == "/ipns/site.example/c"


async def test_a_circle_ends(names: Names, texts: Texts) -> None:
    texts.links = {"a.example": "/ipns/b.example", "b.example": "/ipns/a.example"}
    with pytest.raises(ResourceLimitError, match="more than 32 names"):
        await names.resolve("a.example")


async def test_as_many_names_as_the_limit_may_stand_behind_one_another(names: Names, texts: Texts) -> None:
    texts.links = {f"n{number}.example": f"/ipns/n{number + 1}.example" for number in range(MAX_NAMES - 1)}
    texts.links[f"n{MAX_NAMES - 1}.example"] = PATH
    assert str((await names.resolve("n0.example")).path) == PATH


@pytest.mark.parametrize("name", ["missing.example", str(NAME), "localhost"], ids=["a domain", "a key", "this machine"])
async def test_a_name_that_nobody_knows_is_not_found(names: Names, name: str) -> None:
    with pytest.raises(NameNotFound):
        await names.resolve(name)


async def test_a_domain_nobody_could_ask_about_is_another_matter(names: Names) -> None:
    with pytest.raises(DnsFailed):
        await names.resolve("broken.example")


async def test_a_record_that_points_at_no_path_is_refused(names: Names, store: RecordStore) -> None:
    store.keep(NAME, signed(KEY, "somewhere else"), NOW)
    with pytest.raises(RecordRefused, match="points at no path"):
        await names.resolve(str(NAME))
