"""What TXT records say about content, among all that they say about other things."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.ipfs.dnslink.text import choose, is_domain, parse

CID = "bafkqaddwgevxmmraojswg33smq"


@pytest.mark.parametrize(
    "link", [f"/ipfs/{CID}", f"/ipfs/{CID}/a/b c", "/ipns/other.example", "/ipns/other.example/sub/folder"]
)
def test_links_to_content_are_read(link: str) -> None:
    assert str(parse(f"dnslink={link}")) == link


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=spf1 -all",
        f"/ipfs/{CID}",
        "dnslink=",
        f"dnslink={CID}",
        "dnslink=/ipfs/none",
        "dnslink=/swarm/abc",
        f"DNSLINK=/ipfs/{CID}",
        f"dnslink= /ipfs/{CID}",
        f"dnslink=/ipfs/{CID}/../x",
        "dnslink=https://example.org",
    ],
)
def test_anything_else_is_passed_over(text: str) -> None:
    assert parse(text) is None


def test_of_several_links_everybody_takes_the_same() -> None:
    texts = ["dnslink=/ipns/b.example", f"dnslink=/ipfs/{CID}/b", "x=y", f"dnslink=/ipfs/{CID}/a"]
    assert str(choose(texts)) == str(choose(reversed(texts))) == f"/ipfs/{CID}/a"
    assert choose(["x=y"]) is None


@pytest.mark.parametrize("name", ["example.org", "a_b.example.org", "xn--bcher-kva.example", "example.org."])
def test_domains_can_be_looked_up(name: str) -> None:
    assert is_domain(name)


@pytest.mark.parametrize(
    "name", ["", "localhost", "a..b", "." * 5, "x" * 64 + ".org", "a." * 130 + "org", "bücher.de", "a b.c"]
)
def test_what_is_no_domain_is_not_looked_up(name: str) -> None:
    assert not is_domain(name)


@given(st.text(max_size=100))
def test_any_text_is_a_link_or_not_and_never_anything_else(text: str) -> None:
    link = parse("dnslink=/ipfs/" + text)
    assert link is None or link.cid is not None
