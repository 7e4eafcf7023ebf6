"""multiformats/multiaddr: addresses as other implementations write them, and everything that is none."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.multiformats.multiaddr import MAX_SIZE, Multiaddr
from zwerm.multiformats.multiaddr_protocol import BY_NAME

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "multiaddr.json").read_text())
ADDRESSES = st.lists(st.sampled_from([row["text"] for row in VECTORS]), min_size=1, max_size=3).map("".join)
PEER = "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["text"][:60])
def test_other_implementations_write_the_same_bytes(vector: dict[str, str]) -> None:
    address = Multiaddr.from_text(vector["text"])
    assert bytes(address).hex() == vector["hex"]
    assert Multiaddr.parse(bytes(address)) == address
    assert str(address) == vector.get("canonical", vector["text"])
    assert Multiaddr.from_text(str(address)) == address


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["text"][:60])
def test_bytes_cut_short_are_refused_or_end_between_two_components(vector: dict[str, str]) -> None:
    data = bytes.fromhex(vector["hex"])
    components = Multiaddr.parse(data).components
    ends = {len(bytes(Multiaddr(components[:count]))) for count in range(1, len(components))}
    for size in range(len(data)):
        if size in ends:
            assert Multiaddr.parse(data[:size]).components == components[: len(Multiaddr.parse(data[:size]))]
        else:
            with pytest.raises(WireError):
                Multiaddr.parse(data[:size])


def test_the_example_of_the_specification() -> None:
    address = Multiaddr.parse(bytes.fromhex("04c000022a0601bb"))
    assert str(address) == "/ip4/192.0.2.42/tcp/443"
    assert address.names == ("ip4", "tcp")
    assert [str(component) for component in address] == ["/ip4/192.0.2.42", "/tcp/443"]
    assert [component.serialize().hex() for component in address] == ["04c000022a", "0601bb"]


def test_a_unix_path_takes_all_that_is_left() -> None:
    address = Multiaddr.from_text("/ip4/192.0.2.1/tcp/80/unix/run/zwerm/tcp/1")
    assert address.names == ("ip4", "tcp", "unix")
    assert address.value("unix") == "/run/zwerm/tcp/1"
    assert bytes(address).hex() == "04c00002010600509003" + "10" + b"/run/zwerm/tcp/1".hex()
    assert Multiaddr.parse(bytes(address)) == address
    with pytest.raises(WireError, match="last"):
        Multiaddr.parse(bytes(address) + bytes(Multiaddr.from_text("/tcp/1")))
    with pytest.raises(LocalProtocolError, match="path"):
        address.encapsulate(Multiaddr.from_text("/tcp/1"))


def test_slashes_at_the_end_mean_nothing() -> None:
    assert Multiaddr.from_text("/ip4/192.0.2.1/tcp/1//") == Multiaddr.from_text("/ip4/192.0.2.1/tcp/1")


@pytest.mark.parametrize(
    "wire",
    [
        "",
        "05",  # no such protocol
        "8400",  # a code that is not in its shortest form
        "04c00002",
        "3600",  # dns4 of no bytes
        "36036100ff",
        "3601ff",  # not UTF-8
        "3603612f62",  # a slash in a name
        "a503" + "00",
        "a503" + "02" + "1220",
        "d203" + "03" + "122000",
        "e10300",
        "9003" + "0161",  # a path without a slash
        "9003" + "022f61" + "0601bb",
        "bc03" + "00" * 12,  # onion port 0
        "be03" + "01" + "00",
        "bf03" + "01" + "00",
        "36" + "ffffffffffffffff7f",
    ],
)
def test_bytes_that_are_no_address_are_refused(wire: str) -> None:
    with pytest.raises(WireError):
        Multiaddr.parse(bytes.fromhex(wire))


def test_an_endless_address_is_refused_by_its_size() -> None:
    with pytest.raises(WireError, match=str(MAX_SIZE)):
        Multiaddr.parse(bytes.fromhex("0601bb") * MAX_SIZE)
    with pytest.raises(WireError, match=str(MAX_SIZE)):
        Multiaddr.from_text("/garlic64/" + "A" * (4 * (MAX_SIZE // 3 + 1)))


def test_values_are_asked_for_by_name() -> None:
    address = Multiaddr.from_text(f"/dns4/example.com/tcp/443/tls/ws/p2p/{PEER}/p2p-circuit")
    assert address.value("tcp") == "443"
    assert address.value("p2p") == PEER
    assert address.value("tls") == ""
    assert address.value("udp") is None
    assert len(address) == 6


def test_addresses_are_put_inside_each_other_and_taken_out() -> None:
    outer, inner = Multiaddr.from_text("/ip4/192.0.2.1/tcp/1"), Multiaddr.from_text(f"/p2p/{PEER}")
    whole = outer.encapsulate(inner)
    assert str(whole) == f"/ip4/192.0.2.1/tcp/1/p2p/{PEER}"
    assert whole.decapsulate("p2p") == outer
    assert whole.decapsulate("udp") is whole
    assert outer.decapsulate("ip4") is None
    assert str(whole.encapsulate(whole).decapsulate("tcp")) == f"{whole}/ip4/192.0.2.1"
    with pytest.raises(LocalProtocolError):
        Multiaddr(())


def test_addresses_are_values() -> None:
    one, same = Multiaddr.from_text("/ipfs/" + PEER), Multiaddr.from_text("/p2p/" + PEER)
    other = Multiaddr.from_text("/tcp/1")
    assert one == same
    assert len({one, same, other}) == 2
    assert sorted([one, other]) == [other, one]
    assert repr(other) == "Multiaddr(/tcp/1)"
    assert other != "/tcp/1"


@given(ADDRESSES)
def test_every_address_survives_bytes_and_text(text: str) -> None:
    address = Multiaddr.from_text(text)
    assert Multiaddr.parse(bytes(address)) == address
    assert Multiaddr.from_text(str(address)) == address


@given(st.binary(max_size=60) | st.tuples(ADDRESSES, st.integers(0, 99), st.binary(max_size=3)).map(
    lambda parts: bytes(Multiaddr.from_text(parts[0]))[: parts[1]] + parts[2]))  # fmt: skip
def test_untrusted_bytes_are_an_address_in_its_only_form_or_refused(data: bytes) -> None:
    try:
        address = Multiaddr.parse(data)
    except WireError:
        return
    assert bytes(Multiaddr(address.components)) == data
    assert Multiaddr.from_text(str(address)) == address


@given(st.text(max_size=60) | st.lists(st.sampled_from(sorted(BY_NAME)) | st.text(max_size=6), max_size=6).map(
    lambda parts: "/" + "/".join(parts)))  # fmt: skip
def test_untrusted_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = Multiaddr.from_text(text)
    except WireError:
        return
    assert Multiaddr.parse(bytes(address)) == address
    assert Multiaddr.from_text(str(address)) == address
