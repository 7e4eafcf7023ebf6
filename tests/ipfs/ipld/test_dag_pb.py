"""dag-pb against the rules and vectors of ipld.io/specs/codecs/dag-pb."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.ipld import dag_pb
from zwerm.ipfs.ipld.dag_pb import MAX_TSIZE, PBLink, PBNode, join, serialize_link
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

ACORN = CID.of(b"acorn")
BEECH = CID.of(b"beech", multicodec.DAG_PB, version=0)
TINY = CID.parse(bytes.fromhex("01550000"))  # identity, of nothing
TINY_LINK = "0a0401550000"

cids = st.binary(max_size=40).map(CID.of) | st.sampled_from([TINY, BEECH])
names = (
    st.none()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary().map(lambda data: data.decode("utf-8", "surrogateescape"))
)
sizes = st.none() | st.integers(0, MAX_TSIZE)
nodes = st.builds(
    PBNode,
    st.lists(st.builds(PBLink, cids, names, sizes), max_size=6).map(tuple),
    st.none() | st.binary(max_size=300),
)


@pytest.mark.parametrize(
    ("node", "wire"),
    [
        (PBNode(), ""),
        (PBNode(data=b""), "0a00"),
        (PBNode(data=b"\0\1\2\3\4"), "0a050001020304"),
        (PBNode((PBLink(TINY),)), "1206" + TINY_LINK),
        (PBNode((PBLink(TINY, ""),), b""), "1208" + TINY_LINK + "1200" + "0a00"),
        (PBNode((PBLink(TINY, "ab", 300),)), "120d" + TINY_LINK + "12026162" + "18ac02"),
        (PBNode((PBLink(TINY, None, 0),)), "1208" + TINY_LINK + "1800"),
        (PBNode((PBLink(TINY, None, MAX_TSIZE),)), "1211" + TINY_LINK + "18ffffffffffffffffff01"),
        (PBNode((PBLink(TINY, None, 2**63),)), "1211" + TINY_LINK + "1880808080808080808001"),
    ],
)
def test_vectors(node: PBNode, wire: str) -> None:
    assert node.serialize().hex() == wire
    data = bytes.fromhex(wire)
    assert PBNode.parse(data) == node
    for size in range(1, len(data)):
        if data[size : size + 1] != b"\x0a" or data[size:] != b"\x0a\0":  # links alone are a node too
            with pytest.raises(WireError):
                PBNode.parse(data[:size])


def test_data_before_the_links_is_read_too() -> None:
    wire = bytes.fromhex("0a0101" + "1206" + TINY_LINK + "1206" + TINY_LINK)
    assert PBNode.parse(wire) == PBNode((PBLink(TINY), PBLink(TINY)), b"\1")


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param("0a0101" + "0a0101", id="data twice"),
        pytest.param("0a00" + "0a00", id="empty data twice"),
        pytest.param("1206" + TINY_LINK + "0a0101" + "1206" + TINY_LINK, id="links on both sides of data"),
        pytest.param("1a00", id="an unknown field"),
        pytest.param("0801", id="data as a varint"),
        pytest.param("0a", id="no length"),
        pytest.param("0a02ff", id="data cut short"),
        pytest.param("0affffffffffffffffffff01", id="a length above 64 bits"),
        pytest.param("0affffffffffffffffff7f", id="ten bytes, more than 64 bits"),
        pytest.param("1200", id="a link without a hash"),
        pytest.param("12020a00", id="an empty hash"),
        pytest.param("1203" + "0a01ff", id="a hash that is no CID"),
        pytest.param("1207" + "0a050155000000", id="bytes after the CID"),
        pytest.param("1204" + "12026162", id="a name without a hash"),
        pytest.param("120a" + "12026162" + TINY_LINK, id="a name before the hash"),
        pytest.param("120c" + TINY_LINK + "1801" + "12026162", id="a size before the name"),
        pytest.param("120c" + TINY_LINK + TINY_LINK, id="a hash twice"),
        pytest.param("120a" + TINY_LINK + "12001200", id="a name twice"),
        pytest.param("120a" + TINY_LINK + "18011801", id="a size twice"),
        pytest.param("1208" + TINY_LINK + "2001", id="an unknown field of a link"),
        pytest.param("1207" + TINY_LINK + "18", id="no size"),
        pytest.param("1208" + TINY_LINK + "1880" + "00", id="a size that reaches past its link"),
        pytest.param("1208" + TINY_LINK + "1205", id="a name that reaches past its link"),
        pytest.param("1203" + "0a0401550000", id="a hash that reaches past its link"),
    ],
)
def test_what_the_specification_forbids_is_refused(wire: str) -> None:
    data = bytes.fromhex(wire)
    with pytest.raises(WireError):
        PBNode.parse(data)
    with pytest.raises(WireError):
        dag_pb.links(data)


def test_links_are_sorted_by_the_bytes_of_their_names_and_equal_names_keep_their_order() -> None:
    first, second = CID.of(b"1"), CID.of(b"2")
    links = [
        PBLink(ACORN, "\N{GRINNING FACE}"),
        PBLink(ACORN, "\uffff"),
        PBLink(first, "b"),
        PBLink(ACORN, "a"),
        PBLink(second, "b"),
        PBLink(ACORN, "\udcff"),
        PBLink(second, None),
        PBLink(first, ""),
    ]
    parsed = PBNode.parse(PBNode(tuple(links)).serialize())
    assert [(link.cid, link.name) for link in parsed.links] == [
        (second, None),
        (first, ""),
        (ACORN, "a"),
        (first, "b"),
        (second, "b"),
        (ACORN, "\uffff"),
        (ACORN, "\N{GRINNING FACE}"),
        (ACORN, "\udcff"),
    ]


def test_parsing_does_not_sort() -> None:
    wire = serialize_link(ACORN, "b") + serialize_link(ACORN, "a")
    assert [link.name for link in PBNode.parse(wire).links] == ["b", "a"]


def test_a_name_that_is_not_utf_8_survives() -> None:
    wire = bytes.fromhex("120a" + TINY_LINK + "1202ff61")
    node = PBNode.parse(wire)
    assert node.links[0].name == "\udcffa"
    assert node.serialize() == wire


@pytest.mark.parametrize("link", [PBLink(ACORN, "\ud800"), PBLink(ACORN, "", -1), PBLink(ACORN, "", MAX_TSIZE + 1)])
def test_a_link_that_no_bytes_can_carry_is_our_mistake(link: PBLink) -> None:
    with pytest.raises(LocalProtocolError):
        PBNode((link,)).serialize()


@given(nodes)
def test_a_node_survives_a_round_trip_with_its_links_sorted(node: PBNode) -> None:
    wire = node.serialize()
    parsed = PBNode.parse(wire)
    assert parsed.data == node.data
    assert sorted(parsed.links, key=repr) == sorted(node.links, key=repr)
    assert parsed.serialize() == wire
    assert dag_pb.links(wire) == [link.cid for link in parsed.links]
    assert join([serialize_link(*link) for link in parsed.links], parsed.data) == wire
    assert PBNode.from_data_model(parsed.to_data_model()) == parsed


@given(nodes, st.data())
def test_a_node_cut_short_is_refused_or_a_shorter_node(node: PBNode, data: st.DataObject) -> None:
    wire = node.serialize()
    cut = data.draw(st.integers(0, len(wire)))
    try:
        parsed = PBNode.parse(wire[:cut])
    except WireError:
        return
    assert parsed.serialize() == wire[:cut]


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda data: b"\x12" + bytes([len(data)]) + data))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        node = PBNode.parse(data)
    except WireError:
        return
    assert PBNode.parse(node.serialize()).data == node.data


@pytest.mark.parametrize(
    "model",
    [
        None,
        [],
        {},
        {"Links": None},
        {"Links": [], "Data": None},
        {"Links": [], "Data": "text"},
        {"Links": [], "Other": 1},
        {"Links": [None]},
        {"Links": [{}]},
        {"Links": [{"Hash": "text"}]},
        {"Links": [{"Hash": ACORN, "Name": None}]},
        {"Links": [{"Hash": ACORN, "Name": b""}]},
        {"Links": [{"Hash": ACORN, "Tsize": None}]},
        {"Links": [{"Hash": ACORN, "Tsize": 1.0}]},
        {"Links": [{"Hash": ACORN, "Tsize": True}]},
        {"Links": [{"Hash": ACORN, "Other": 1}]},
        {"Links": [{"Hash": ACORN, "Name": "b"}, {"Hash": ACORN, "Name": "a"}]},
        {"Links": [{"Hash": ACORN, "Name": "a"}, {"Hash": ACORN}]},
    ],
)
def test_a_map_outside_the_schema_is_our_mistake(model: object) -> None:
    with pytest.raises(LocalProtocolError):
        dag_pb.encode(model)


def test_the_map_form_is_that_of_the_schema() -> None:
    node = PBNode((PBLink(BEECH), PBLink(ACORN, "a", 5)), b"data")
    model = {"Data": b"data", "Links": [{"Hash": BEECH}, {"Hash": ACORN, "Name": "a", "Tsize": 5}]}
    assert node.to_data_model() == model
    assert PBNode.from_data_model(model) == node
    assert PBNode().to_data_model() == {"Links": []}
    assert dag_pb.encode(model) == node.serialize()
