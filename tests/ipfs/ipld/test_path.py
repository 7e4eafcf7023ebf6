"""Content paths: the forms that are read, the ones that are refused, and how they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.ipld.path import MAX_SEGMENTS, MAX_TEXT, ContentPath
from zwerm.multiformats.cid import CID

EMPTY_FILE = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
EMPTY_DIRECTORY = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (f"/ipfs/{EMPTY_FILE}", f"/ipfs/{EMPTY_FILE}"),
        (f"/ipfs/{EMPTY_DIRECTORY}/a/b", f"/ipfs/{EMPTY_DIRECTORY}/a/b"),
        (f"ipfs://{EMPTY_FILE}/a b/ü", f"/ipfs/{EMPTY_FILE}/a b/ü"),
        (EMPTY_FILE, f"/ipfs/{EMPTY_FILE}"),
        (f"{EMPTY_FILE}/a", f"/ipfs/{EMPTY_FILE}/a"),
        (f"/ipfs/{EMPTY_FILE}//a///b/", f"/ipfs/{EMPTY_FILE}/a/b"),
        ("/ipns/docs.ipfs.tech/a", "/ipns/docs.ipfs.tech/a"),
        ("ipns://en.wikipedia-on-ipfs.org", "/ipns/en.wikipedia-on-ipfs.org"),
        ("/ipns/_dnslink.example.org", "/ipns/_dnslink.example.org"),
        ("/ipns/12D3KooWAbcDEF", "/ipns/12D3KooWAbcDEF"),
        (f"/ipfs/{EMPTY_FILE}/.../..a/a..", f"/ipfs/{EMPTY_FILE}/.../..a/a.."),
        (f"/ipfs/{EMPTY_FILE}/a%20b?c#d", f"/ipfs/{EMPTY_FILE}/a%20b?c#d"),
    ],
)
def test_a_path_is_read_and_written_in_its_canonical_form(text: str, canonical: str) -> None:
    path = ContentPath.from_text(text)
    assert str(path) == canonical
    assert ContentPath.from_text(canonical) == path


def test_an_ipfs_path_knows_its_cid_and_an_ipns_path_does_not() -> None:
    assert ContentPath.from_text(f"{EMPTY_FILE}/a").cid == CID.from_text(EMPTY_FILE)
    assert ContentPath.from_text("/ipns/example.org").cid is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "//",
        "/ipfs",
        "/ipfs/",
        "/ipfs//",
        "/ipns/",
        "ipfs://",
        "/ipld/" + EMPTY_FILE,
        "/IPFS/" + EMPTY_FILE,
        "/" + EMPTY_FILE,
        "https://example.org/ipfs/" + EMPTY_FILE,
        f"/ipfs/{EMPTY_FILE[:-1]}x",
        f"/ipfs/{EMPTY_FILE}/a/../b",
        f"/ipfs/{EMPTY_FILE}/./b",
        f"/ipfs/{EMPTY_FILE}/..",
        "/ipfs/../ipns/example.org",
        "/ipns/exa mple.org",
        "/ipns/-example.org",
        "/ipns/" + "a" * 254,
        f"/ipfs/{EMPTY_FILE}" + "/a" * (MAX_SEGMENTS + 1),
        f"/ipfs/{EMPTY_FILE}/" + "a" * MAX_TEXT,
    ],
)
def test_what_is_no_content_path_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        ContentPath.from_text(text)


def test_children_and_parents_are_inverse() -> None:
    root = ContentPath.of(CID.from_text(EMPTY_FILE))
    path = root.child("a", "b")
    assert path == ContentPath.from_text(f"{EMPTY_FILE}/a/b")
    assert path.name == "b"
    assert path.parent == root.child("a")
    assert root.name == EMPTY_FILE
    with pytest.raises(LocalProtocolError):
        _ = root.parent


@pytest.mark.parametrize("name", ["", ".", "..", "a/b"])
def test_a_child_needs_a_name(name: str) -> None:
    with pytest.raises(WireError):
        ContentPath.from_text(EMPTY_FILE).child(name)


@given(
    st.text() | st.text().map(lambda text: f"/ipfs/{EMPTY_FILE}/{text}") | st.text().map(lambda text: f"/ipns/{text}")
)
def test_any_text_is_read_or_refused_and_never_anything_else(text: str) -> None:
    try:
        path = ContentPath.from_text(text)
    except WireError:
        return
    assert ContentPath.from_text(str(path)) == path
