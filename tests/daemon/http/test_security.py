"""Who may ask: DNS rebinding and requests of other pages are recognised."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from zwerm.daemon.http import security


def headers(**values: str) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict({name.replace("_", "-"): value for name, value in values.items()}))


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost:5001", True),
        ("LOCALHOST", True),
        ("app.localhost:8088", True),
        ("127.0.0.1:5001", True),
        ("[::1]:5001", True),
        ("192.0.2.7", True),
        ("", True),
        ("node.example", True),
        ("evil.example:5001", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("2130706433.nip.example", False),
    ],
)
def test_a_name_that_could_have_been_rebound_is_not_known(host: str, known: bool) -> None:
    assert security.is_known_host(host, ("node.example",)) is known


@pytest.mark.parametrize(
    ("peer", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.0.2.1", False),
        ("", False),
    ],
)
def test_peers_on_this_machine(peer: str, loopback: bool) -> None:
    assert security.is_loopback_peer(peer) is loopback


@pytest.mark.parametrize(
    ("given", "this_machine"),
    [
        ({"Host": "localhost:8088"}, True),
        ({"Host": "192.0.2.1:8088"}, False),
        ({"Host": "localhost", "X_Forwarded_For": "192.0.2.9"}, False),
    ],
)
def test_a_proxy_on_this_machine_is_not_this_machine(given: dict[str, str], this_machine: bool) -> None:
    assert security.is_this_machine(headers(**given), "127.0.0.1") is this_machine
    assert not security.is_this_machine(headers(**given), "192.0.2.1")


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ({"Host": "localhost:8088"}, True),
        ({"Host": "localhost:8088", "Origin": "http://localhost:8088"}, True),
        ({"Host": "localhost:8088", "Origin": "http://evil.example"}, False),
        ({"Host": "localhost:8088", "Origin": "null"}, False),
        ({"Host": "localhost:8088", "Origin": "http://localhost:8080"}, False),
        ({"Host": "localhost:8088", "Sec_Fetch_Site": "same-site"}, False),
        ({"Host": "localhost:8088", "Sec_Fetch_Site": "cross-site"}, False),
        ({"Host": "localhost:8088", "Sec_Fetch_Site": "same-origin"}, True),
    ],
)
def test_the_same_origin(given: dict[str, str], same: bool) -> None:
    assert security.is_same_origin(headers(**given)) is same


OWN = security.own_origins(5001)


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ({}, True),
        ({"User_Agent": "curl/8"}, True),
        ({"User_Agent": "Mozilla/5.0"}, False),
        ({"User_Agent": "Mozilla/5.0", "Origin": "http://localhost:5001"}, True),
        ({"User_Agent": "Mozilla/5.0", "Referer": "http://127.0.0.1:5001/webui"}, True),
        ({"Origin": "http://localhost:5002"}, False),
        ({"Origin": "http://localhost:5001", "Referer": "http://evil.example/"}, False),
        ({"Referer": "http://evil.example/"}, False),
        ({"Origin": "null"}, False),
    ],
)
def test_kubos_rule_for_browsers(given: dict[str, str], allowed: bool) -> None:
    assert security.is_allowed_origin(headers(**given), OWN) is allowed
    assert security.is_allowed_origin(headers(**given), frozenset({"*"}))


def test_a_bearer_secret() -> None:
    assert security.has_bearer(headers(Authorization="Bearer s3"), "s3")
    assert security.has_bearer(headers(Authorization="bearer s3"), "s3")
    assert not security.has_bearer(headers(Authorization="Basic s3"), "s3")
    assert not security.has_bearer(headers(Authorization="Bearer s4"), "s3")
    assert not security.has_bearer(headers(), "s3")
