"""URIs of RFC 7064 and 7065, and what browsers take as `iceServers`."""

import pytest

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.stun.uri import MAX_SERVERS, IceServer, ServerUri, Service, Transport, parse_ice_servers

STUN, TURN = Service.STUN, Service.TURN
UDP, TCP, TLS, DTLS = Transport.UDP, Transport.TCP, Transport.TLS, Transport.DTLS


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("stun:example.org", ServerUri(STUN, "example.org", 3478, UDP)),
        ("stuns:example.org", ServerUri(STUN, "example.org", 5349, TLS)),
        ("stun:example.org:8000", ServerUri(STUN, "example.org", 8000, UDP)),
        ("turn:example.org", ServerUri(TURN, "example.org", 3478, UDP)),
        ("turns:example.org", ServerUri(TURN, "example.org", 5349, TLS)),
        ("turn:example.org:8000", ServerUri(TURN, "example.org", 8000, UDP)),
        ("turn:example.org?transport=udp", ServerUri(TURN, "example.org", 3478, UDP)),
        ("turn:example.org?transport=tcp", ServerUri(TURN, "example.org", 3478, TCP)),
        ("turns:example.org?transport=tcp", ServerUri(TURN, "example.org", 5349, TLS)),
        ("turns:example.org:443?transport=udp", ServerUri(TURN, "example.org", 443, DTLS)),
        ("STUN:Example.ORG", ServerUri(STUN, "example.org", 3478, UDP)),
        ("stun:192.0.2.1:1", ServerUri(STUN, "192.0.2.1", 1, UDP)),
        ("turn:[2001:DB8::0:1]:99", ServerUri(TURN, "2001:db8::1", 99, UDP)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_uris_of_the_rfcs(text: str, uri: ServerUri) -> None:
    assert ServerUri.from_text(text) == uri
    assert ServerUri.from_text(str(uri)) == uri


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        (ServerUri(TURN, "example.org", 3478, TCP), "turn:example.org?transport=tcp"),
        (ServerUri(TURN, "2001:db8::1", 443, TLS), "turns:[2001:db8::1]:443"),
        (ServerUri(STUN, "example.org", 5349, TLS), "stuns:example.org"),
    ],
    ids=["TCP", "TLS", "STUN"],
)
def test_a_uri_is_written_as_short_as_it_can_be(uri: ServerUri, text: str) -> None:
    assert str(uri) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stun:",
        "stun://example.org",
        "http://example.org",
        "example.org:3478",
        "stun:example.org:",
        "stun:example.org:0",
        "stun:example.org:65536",
        "stun:example.org?transport=udp",
        "stun:user@example.org",
        "turn:example.org?transport=sctp",
        "turn:example.org?transport=",
        "turn:example.org?other=1",
        "turn:[example.org]",
        "turn:[::g]",
        "turn:[1:2:3]",
        "turn:2001:db8::1",
        "turn:example.org/path",
        "stun:example.org ",
        "stun:" + "a" * 600,
    ],
    ids=lambda text: text[:40] or "nothing",
)
def test_anything_else_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(LocalProtocolError):
        ServerUri.from_text(text)


def test_ice_servers_as_a_browser_takes_them() -> None:
    servers = parse_ice_servers(
        [
            {"urls": "stun:a.example"},
            {"urls": ["turn:b.example", "turns:b.example"], "username": "user", "credential": "secret"},
            {"url": "stun:c.example", "credentialType": "password"},
        ]
    )
    assert [str(uri) for server in servers for uri in server.uris] == [
        "stun:a.example",
        "turn:b.example",
        "turns:b.example",
        "stun:c.example",
    ]
    assert servers[0] == IceServer((ServerUri(STUN, "a.example", 3478, UDP),))
    assert (servers[1].username, servers[1].credential) == ("user", "secret")
    assert "secret" not in repr(servers)


@pytest.mark.parametrize(
    "server",
    [
        {},
        {"urls": []},
        {"urls": ""},
        {"urls": [7]},
        {"urls": "turn:a.example"},
        {"urls": "turn:a.example", "username": "user"},
        {"urls": "turn:a.example", "username": "user", "credential": 7},
        {"urls": "turn:a.example", "username": "user", "credential": "x", "credentialType": "oauth"},
    ],
    ids=["nothing", "no URL", "empty", "number", "no username", "no credential", "credential", "oauth"],
)
def test_an_ice_server_that_cannot_be_used_is_refused(server: dict[str, object]) -> None:
    with pytest.raises(LocalProtocolError):
        parse_ice_servers([server])


def test_there_are_not_more_servers_than_the_limit() -> None:
    with pytest.raises(LocalProtocolError, match="the limit is 64"):
        parse_ice_servers([{"urls": ["stun:a.example"] * (MAX_SERVERS + 1)}])
