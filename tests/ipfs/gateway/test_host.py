"""Subdomain Gateway specification: Host headers, DNS labels, the URI router."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.ipfs.gateway import host
from zwerm.ipfs.gateway.host import ContentRoot

GATEWAYS = frozenset({"localhost", "dweb.link"})
CID = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"
KEY = "k2k4r8jl0yz8qjgqbmc2cdu5hkqek5rj6flgnlkyywynci20j0iuyfuj"


def test_a_cid_in_the_host_is_the_content_root() -> None:
    assert host.from_host(f"{CID}.ipfs.localhost:8080", GATEWAYS) == (ContentRoot("ipfs", CID), "localhost:8080")


def test_a_key_in_the_host_is_a_name() -> None:
    assert host.from_host(f"{KEY}.ipns.dweb.link", GATEWAYS) == (ContentRoot("ipns", KEY), "dweb.link")


def test_an_inlined_dns_name_is_written_out() -> None:
    found = host.from_host("en-wikipedia--on--ipfs-org.ipns.dweb.link", GATEWAYS)
    assert found == (ContentRoot("ipns", "en.wikipedia-on-ipfs.org"), "dweb.link")


@pytest.mark.parametrize(
    "name", ["localhost", "127.0.0.1:8080", "[::1]:8080", "example.org", f"{CID}.ipfs.elsewhere.org", ""]
)
def test_other_hosts_carry_no_root(name: str) -> None:
    assert host.from_host(name, GATEWAYS) is None


@pytest.mark.parametrize("name", ["bafynonsense.ipfs.localhost", "x.ipfs.dweb.link", "a b.c", "host:port", "a@b"])
def test_a_subdomain_that_names_no_content_is_refused(name: str) -> None:
    with pytest.raises(WireError):
        host.from_host(name, GATEWAYS)


def test_a_version_0_cid_becomes_a_label_without_case() -> None:
    root = ContentRoot("ipfs", "QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR")
    assert host.subdomain_url("https", "dweb.link", root, "/a?b=c") == f"https://{CID}.ipfs.dweb.link/a?b=c"


def test_a_peer_id_becomes_base36() -> None:
    label = host.to_label(ContentRoot("ipns", "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"))
    assert label.startswith("k51qzi5uqu5d")
    assert len(label) <= host.MAX_LABEL


def test_a_root_too_long_for_dns_is_refused() -> None:
    with pytest.raises(WireError, match="63"):
        host.to_label(ContentRoot("ipns", "a-" * 25 + "a.example.org"))


@pytest.mark.parametrize("name", ["", ".", "nodots", "a..b", "-a.org", "a b.org", "../x.y"])
def test_what_is_no_dns_name_gets_no_label(name: str) -> None:
    with pytest.raises(WireError):
        host.to_label(ContentRoot("ipns", name))


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?){1,3}", fullmatch=True))
def test_inlining_can_be_undone(name: str) -> None:
    assert host.uninline(host.inline(name)) == name


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        (f"ipfs://{CID}", f"/ipfs/{CID}"),
        (f"ipfs://{CID}/a/b c?x=y", f"/ipfs/{CID}/a/b%20c?x=y"),
        ("ipns://en.wikipedia-on-ipfs.org/wiki/", "/ipns/en.wikipedia-on-ipfs.org/wiki/"),
        ("https://example.org", None),
        ("javascript:alert(1)", None),
        ("ipfs://", None),
    ],
)
def test_uri_router(uri: str, path: str | None) -> None:
    assert host.content_url(uri) == path
