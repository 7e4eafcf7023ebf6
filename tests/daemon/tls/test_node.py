"""HTTPS of a real daemon: by files, by a local authority, behind a proxy, and what others may do there."""

from __future__ import annotations

import http.client
import json
import plistlib
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.daemon.harness import PATIENCE, Answer, Daemon
from tests.daemon.tls.certificates import now, trusting, write_certificate
from zwerm.daemon.tls.authority import Authority

CLIENT = {"X-Zwerm-Client": "web"}


class SecureDaemon(Daemon):
    """A daemon, asked as another machine asks it."""

    @property
    def origin(self) -> str:
        line = next(line for line in self.output if line.startswith("Web app from other machines: "))
        return line.rpartition(" ")[2].rstrip("/")

    @property
    def owner_key(self) -> str:
        return next(line for line in self.output if "owner's key: " in line).rpartition("#key=")[2]

    @property
    def plain(self) -> str:
        line = next(line for line in self.output if line.startswith("Trust it on a telephone first: "))
        return f"127.0.0.1:{urlsplit(line.rpartition(' ')[2]).port}"

    def ask(
        self,
        context: ssl.SSLContext,
        method: str,
        path: str,
        *,
        name: str = "localhost",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Ask by HTTPS for the host `name`, checking the certificate for it."""
        port = urlsplit(self.origin).port
        connection = http.client.HTTPSConnection(name, port, timeout=PATIENCE, context=context)
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain:
            connection.sock = context.wrap_socket(plain, server_hostname=name)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            found = {key.lower(): value for key, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureDaemon]:
    running = SecureDaemon(tmp_path_factory.mktemp("house") / "repository", overrides={"https.lan": True})
    running.wait_ready()
    yield running
    assert running.stop() == 0, running.errors
    assert "Traceback" not in running.errors


@pytest.fixture(scope="module")
def trust(house: SecureDaemon) -> ssl.SSLContext:
    return trusting(Authority.open(house.path / "tls", "x", now()))


@pytest.fixture(scope="module")
def name(house: SecureDaemon) -> str:
    """This machine's name in its house."""
    from zwerm.daemon.tls.lan import machine_name

    return f"{machine_name()}.local"


def test_certificate_of_the_house_is_good_for_name_and_address(
    house: SecureDaemon, trust: ssl.SSLContext, name: str
) -> None:
    for each in (name, "localhost", "127.0.0.1"):
        answer = house.ask(trust, "GET", "/", name=each)
        assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_another_machine_of_the_house_rules_nothing_without_the_key(
    house: SecureDaemon, trust: ssl.SSLContext, name: str
) -> None:
    origin = {"Origin": f"https://{name}:{urlsplit(house.origin).port}"}
    refused = house.ask(trust, "POST", "/api/app/session", name=name, headers={**CLIENT, **origin})
    assert (refused.status, refused.json["error"]["code"]) == (401, "key")
    for path in ("/api/app/node", "/api/app/files?path=/", "/api/app/settings", "/api/app/history"):
        assert house.ask(trust, "GET", path, name=name).status in (401, 403)
    for path in ("/api/v0/id", "/api/v0/files/ls", "/api/v0/shutdown"):
        assert house.ask(trust, "POST", path, name=name, headers=origin).status in (401, 403)
    assert house.ask(trust, "GET", "/metrics", name=name, headers={"Origin": "https://evil.example"}).status == 403


def test_calls_are_open_to_the_house(house: SecureDaemon, trust: ssl.SSLContext, name: str) -> None:
    assert house.ask(trust, "GET", "/api/calls/v1/schema.json", name=name).status == 200


def test_owner_key_opens_the_node_from_another_machine_over_https_only(
    house: SecureDaemon, trust: ssl.SSLContext, name: str
) -> None:
    key = {"Authorization": f"Bearer {house.owner_key}"}
    host = f"{name}:{urlsplit(house.origin).port}"
    fitting = {**CLIENT, **key, "Origin": f"https://{host}", "Sec-Fetch-Site": "same-origin"}
    token = house.ask(trust, "POST", "/api/app/session", name=name, headers=fitting).json["token"]
    assert house.ask(trust, "GET", "/api/app/node", name=name, headers={"X-Zwerm-Token": token}).status == 200
    for other in (f"http://{host}", "https://evil.example"):
        headers = {**CLIENT, **key, "Origin": other}
        assert house.ask(trust, "POST", "/api/app/session", name=name, headers=headers).status == 403


def test_name_that_is_not_ours_is_refused_on_both_listeners(house: SecureDaemon, trust: ssl.SSLContext) -> None:
    assert house.ask(trust, "GET", "/", headers={"Host": "evil.example"}).status == 403
    assert house.get(house.plain, "/trust", Host="evil.example").status == 421


def test_page_leads_a_telephone_to_trust_in_three_steps(house: SecureDaemon) -> None:
    agent = {"User-Agent": "Mozilla/5.0 (iPhone)", "Accept-Language": "nl-NL,nl;q=0.9"}
    page = house.request("GET", house.plain, "/trust", headers=agent)
    text = page.body.decode()
    fingerprint = Authority.open(house.path / "tls", "x", now()).fingerprint
    assert "<details open><summary>iPhone en iPad" in text
    assert text.count("<li>") == 9
    assert " ".join(fingerprint.split(":")[:8]) in text
    assert any(fingerprint in line for line in house.output)
    assert f'href="https://127.0.0.1:{urlsplit(house.origin).port}/"' in text
    assert "script" not in text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    english = house.get(house.plain, "/trust", User_Agent="Mozilla/5.0 (Android 15)").body.decode()
    assert "<details open><summary>Android" in english


def test_profile_and_certificate_carry_the_authority_and_never_its_key(house: SecureDaemon) -> None:
    authority = Authority.open(house.path / "tls", "x", now())
    certificate = house.get(house.plain, "/trust/zwerm.crt")
    assert (certificate.headers["content-type"], certificate.body) == ("application/x-x509-ca-cert", authority.der)
    profile = house.get(house.plain, "/trust/zwerm.mobileconfig")
    assert profile.headers["content-type"] == "application/x-apple-aspen-config"
    (payload,) = plistlib.loads(profile.body)["PayloadContent"]
    assert (payload["PayloadType"], payload["PayloadContent"]) == ("com.apple.security.root", authority.der)
    for path in ("/trust/authority.key", "/trust/../tls/authority.key", "/tls/authority.key"):
        answer = house.get(house.plain, path)
        assert answer.status in (308, 404)
        assert b"PRIVATE" not in answer.body


def test_plain_http_serves_no_app_and_leads_to_https(house: SecureDaemon) -> None:
    secure = f"https://127.0.0.1:{urlsplit(house.origin).port}"
    assert house.get(house.plain, "/").headers["location"] == "/trust"
    assert house.get(house.plain, "/api/app/node?x=1").headers["location"] == f"{secure}/api/app/node?x=1"
    assert house.request("POST", house.plain, "/api/app/session", b"", CLIENT).status == 405
    assert house.get(house.plain, "/.well-known/acme-challenge/absent").status == 404


def test_terminal_shows_a_code_and_never_the_key_in_it(house: SecureDaemon) -> None:
    assert any("█" in line or "▀" in line for line in house.output)
    trust_line = next(line for line in house.output if line.startswith("Trust it"))
    assert house.owner_key not in trust_line


def test_app_tells_its_owner_where_others_come(house: SecureDaemon) -> None:
    facts = house.app("GET", "https").json
    assert (facts["way"], facts["origin"], facts["ready"]) == ("lan", house.origin, True)
    assert facts["trust"].endswith("/trust")
    assert facts["owner"] == f"{house.origin}/#key={house.owner_key}"


def test_files_are_served_and_renewed_without_a_restart(start: Callable[..., Daemon], tmp_path: Path) -> None:
    authority = Authority.make("test", now())
    certificate, key = write_certificate(tmp_path / "tls", authority, "localhost", "one.local")
    overrides = {"https.cert": str(certificate), "https.key": str(key)}
    daemon = SecureDaemon(tmp_path / "repository", overrides=overrides).wait_ready()
    try:
        assert isinstance(daemon, SecureDaemon)
        answer = daemon.ask(trusting(authority), "GET", "/health", name="one.local")
        assert answer.body == b"ok\n"
        assert daemon.ask(trusting(authority), "GET", "/api/calls/v1/schema.json").status == 404  # not asked for
    finally:
        assert daemon.stop() == 0, daemon.errors


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"https.cert": "/nonexistent.pem"}, "/nonexistent.pem: No such file or directory"),
        ({"https.key": "/nonexistent.pem"}, "--key is given without --cert"),
        ({"https.domain": "a.example", "https.lan": True}, "--domain and --lan are two ways to HTTPS; give one"),
        ({"https.domain": "a.example"}, "https.acme_directory is empty"),
        ({"https.public_origin": "https://a.example"}, "--public-origin is given without --trusted-proxy"),
        ({"https.trusted_proxies": ["nginx"]}, "'nginx' is not a range of addresses"),
    ],
    ids=["no-file", "key-alone", "two-ways", "no-authority", "no-proxy", "no-range"],
)
def test_what_cannot_be_is_one_line_at_the_start(
    start: Callable[..., Daemon], overrides: dict[str, Any], words: str
) -> None:
    said = start(overrides=overrides, ready=False).wait_failure()
    assert words in said
    assert len(said.splitlines()) == 1


def test_behind_a_proxy_the_public_origin_counts_and_nobody_is_this_machine(start: Callable[..., Daemon]) -> None:
    daemon = start(overrides={"https.trusted_proxies": ["127.0.0.1"], "https.public_origin": "https://zwerm.example"})
    by_proxy = {**CLIENT, "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "Host": "zwerm.example"}
    fitting = {"Origin": "https://zwerm.example"}
    key = next(line for line in daemon.output if "owner's key: " in line).rpartition("#key=")[2]

    def session(headers: dict[str, str]) -> tuple[int, str]:
        answer = daemon.request("POST", daemon.web, "/api/app/session", b"", headers)
        return answer.status, json.loads(answer.body).get("error", {}).get("code", "")

    assert session({**by_proxy, **fitting}) == (401, "key")
    assert session({**CLIENT}) == (401, "key"), "what the proxy does not name is not this machine either"
    owner = {"Authorization": f"Bearer {key}"}
    assert session({**by_proxy, **fitting, **owner}) == (200, "")
    assert session({**by_proxy, **fitting, **owner, "Host": daemon.web}) == (200, "")
    assert session({**by_proxy, **owner, "Origin": "http://zwerm.example"}) == (403, "origin")
    assert session({**by_proxy, **owner, "Origin": "https://evil.example"}) == (403, "origin")
    assert daemon.request("GET", daemon.web, "/", headers={**by_proxy, "Host": "evil.example"}).status == 403
    assert daemon.request("GET", daemon.web, "/metrics", headers=by_proxy).status == 403
