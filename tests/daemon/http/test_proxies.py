"""Who is really there, when a proxy stands in front."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.http.proxies import MAX_HOPS, TrustedProxies

ORIGIN = "https://zwerm.example"


class Asked:
    """An exchange as far as it concerns proxies."""

    def __init__(self, peer: str, **headers: str) -> None:
        self.peer = peer
        self.scheme = "http"
        self.is_proxied = False
        self.headers = CIMultiDictProxy(
            CIMultiDict({"Host": "127.0.0.1:8088"} | {key.replace("_", "-"): text for key, text in headers.items()})
        )


def seen(peer: str, *, ranges: tuple[str, ...] = ("10.0.0.0/8", "::1"), origin: str = ORIGIN, **headers: str) -> Asked:
    asked = Asked(peer, **headers)
    TrustedProxies(ranges, origin).apply(asked)  # type: ignore[arg-type]
    return asked


def test_headers_of_a_stranger_are_not_believed() -> None:
    asked = seen("192.0.2.7", X_Forwarded_For="127.0.0.1", X_Forwarded_Proto="https", X_Forwarded_Host="zwerm.example")
    assert (asked.peer, asked.scheme, asked.is_proxied) == ("192.0.2.7", "http", False)
    assert asked.headers["Host"] == "127.0.0.1:8088"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("127.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("127.0.0.1, 203.0.113.9, 10.1.2.3, 10.9.9.9", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("nonsense", "10.0.0.1"),
        ("203.0.113.9, nonsense", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
    ids=["one", "forged", "two-proxies", "forged-three", "port", "bracket", "six", "mapped", "none", "broken", "empty"],
)
def test_client_is_the_nearest_address_that_is_no_trusted_proxy(forwarded: str, client: str) -> None:
    assert seen("10.0.0.1", X_Forwarded_For=forwarded).peer == client


def test_endless_chain_is_read_so_far_and_no_further() -> None:
    forwarded = "203.0.113.9," + ",".join(["10.0.0.2"] * MAX_HOPS)
    assert seen("10.0.0.1", X_Forwarded_For=forwarded).peer == "10.0.0.2"


def test_name_that_the_proxy_passes_on_is_kept_so_that_it_can_be_refused() -> None:
    assert seen("::1", Host="evil.example").headers["Host"] == "evil.example"
    assert seen("::1", X_Forwarded_Host="evil.example").headers["Host"] == "evil.example"


def test_address_that_the_proxy_was_given_is_the_public_origin() -> None:
    asked = seen("::1", Host="localhost:8088")
    assert asked.headers["Host"] == "zwerm.example"
    assert (asked.scheme, asked.is_proxied) == ("https", True)


def test_proxy_says_whether_it_was_asked_by_https() -> None:
    assert seen("::1", X_Forwarded_Proto="http").scheme == "http"
    assert seen("::1", X_Forwarded_Proto="https", origin="").scheme == "https"
    assert seen("::1", X_Forwarded_Proto="gopher", origin="").scheme == "http"


def test_what_is_no_range_is_refused_in_one_line() -> None:
    with pytest.raises(LocalProtocolError, match=r"'nginx' is not a range of addresses; expected a form like"):
        TrustedProxies(["nginx"])
    assert not TrustedProxies([])
