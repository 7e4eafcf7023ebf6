"""The web app's listener: its files, its policy, and a session for its own page only."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest

import zwerm
from zwerm.daemon.http.web import gateway_origins
from zwerm.daemon.listeners import Listeners
from zwerm.node.address import Address
from zwerm.node.config import Config

IMPORT = re.compile(r'^(?:import|export)\b[^;]*?\bfrom\s+"(\.[^"]+)"|^import\s+"(\.[^"]+)"', re.MULTILINE)
CLIENT = {"X-Zwerm-Client": "web"}


def test_the_page_comes_with_a_strict_policy(daemon) -> None:
    answer = daemon.get(daemon.web, "/")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert f"http://{daemon.gateway}" in policy["img-src"].split()
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_address_to_fetch_leads_to_its_page_and_the_modules_of_the_page_are_served(daemon) -> None:
    answer = daemon.get(daemon.web, "/fetch/bafy/a%20folder/app.js")
    assert (answer.status, answer.headers["location"]) == (302, "/#/fetch/bafy/a%20folder/app.js")
    assert daemon.get(daemon.web, "/fetch/bafy").headers["location"] == "/#/fetch/bafy"
    assert daemon.get(daemon.web, "/fetch/peer.js").status == 200


def test_files_are_compressed_and_not_sent_twice(daemon) -> None:
    plain = daemon.get(daemon.web, "/i18n/en.js")
    packed = daemon.get(daemon.web, "/i18n/en.js", Accept_Encoding="gzip, br")
    assert plain.headers["content-type"].startswith("text/javascript")
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(packed.body) == plain.body
    again = daemon.get(daemon.web, "/i18n/en.js", If_None_Match=f'"other", W/{plain.headers["etag"]}')
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == plain.headers["etag"]


def modules_of(folder: Path, name: str) -> list[str]:
    """A module and what it imports, and so on, in the order of a walk in breadth."""
    found = [name]
    for each in found:
        for match in IMPORT.finditer((folder / each).read_text()):
            path = os.path.normpath(Path(each).parent / (match[1] or match[2]))
            found += [path] * (path not in found)
    return found


def test_the_page_asks_at_once_for_every_module_that_it_starts_with() -> None:
    folder = Path(zwerm.__file__).parent / "web"
    modules = modules_of(folder, "app.js")
    assert "i18n/en.js" in modules
    assert "pages/home-page.js" not in modules
    preloads = re.findall(r'<link rel="modulepreload" href="/([^"]+)">', (folder / "index.html").read_text())
    assert sorted(preloads) == sorted(modules[1:]), "index.html is to name just these"


def test_every_file_of_the_app_is_served(daemon) -> None:
    folder = Path(zwerm.__file__).parent / "web"
    missing = [
        name
        for file in folder.rglob("*")
        if file.suffix in (".js", ".css", ".html", ".svg")
        and daemon.request("HEAD", daemon.web, "/" + (name := file.relative_to(folder).as_posix())).status != 200
    ]
    assert missing == []


@pytest.mark.parametrize(
    "path",
    [
        "/../node/node.py",
        "/%2e%2e/node/node.py",
        "/..%2fnode%2fnode.py",
        "/.hidden.js",
        "//etc/passwd.txt",
        "/app.js/",
        "/app.py",
        "/app.js%00.html",
        "/nothing.js",
    ],
)
def test_nothing_else_is(daemon, path: str) -> None:
    assert daemon.get(daemon.web, path).status == 404


def test_a_rebound_name_gets_nothing(daemon) -> None:
    for path in ("/", "/app.js", "/api/app/session", "/api/v0/version"):
        assert daemon.request("POST", daemon.web, path, headers={"Host": "evil.example", **CLIENT}).status == 403


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "origin"),
        ({**CLIENT, "Origin": "http://evil.example"}, "origin"),
        ({**CLIENT, "Sec-Fetch-Site": "cross-site"}, "origin"),
        ({**CLIENT, "Host": "192.0.2.1:8088"}, "key"),
        ({**CLIENT, "X-Forwarded-For": "192.0.2.1"}, "key"),
        ({**CLIENT, "Host": "192.0.2.1:8088", "Authorization": "Bearer wrong"}, "key"),
    ],
)
def test_others_get_no_session(daemon, headers: dict[str, str], code: str) -> None:
    answer = daemon.request("POST", daemon.web, "/api/app/session", headers=headers)
    assert answer.json["error"]["code"] == code
    assert "token" not in answer.json


def test_a_session_is_needed_for_everything_else(daemon) -> None:
    assert daemon.request("GET", daemon.web, "/api/app/session").json["error"]["code"] == "method"
    for method, path in (("GET", "/api/app/node"), ("POST", "/api/v0/version"), ("GET", "/api/app/events")):
        answer = daemon.request(method, daemon.web, path)
        assert answer.status == 401
        assert answer.json["error"].keys() == {"code", "what", "why", "do", "details"}
        assert daemon.request(method, daemon.web, path, headers={"X-Zwerm-Token": "ü"}).status == 401


def test_the_rpc_works_with_a_session_and_not_from_another_page(daemon) -> None:
    token = {"X-Zwerm-Token": daemon.token()}
    assert daemon.request("POST", daemon.web, "/api/v0/version", headers=token).status == 200
    foreign = {**token, "Origin": "http://evil.example"}
    assert daemon.request("POST", daemon.web, "/api/v0/version", headers=foreign).status == 403


def test_from_another_machine_the_owners_secret_opens_a_session(daemon) -> None:
    assert daemon.app("PUT", "settings", {"api.token": "s3cret"}).status == 200
    try:
        headers = {**CLIENT, "Host": "192.0.2.1:8088", "Authorization": "Bearer s3cret"}
        assert daemon.request("POST", daemon.web, "/api/app/session", headers=headers).json["token"] == daemon.token()
    finally:
        assert daemon.app("PUT", "settings", {"api.token": None}).status == 200


def test_the_address_for_other_machines_carries_a_key(tmp_path: Path) -> None:
    listeners = Listeners(Config(profile="test"), tmp_path)
    assert listeners.web_url(Address("127.0.0.1", 80)) == "http://localhost:80/"
    assert listeners.web_url(Address("::1", 80)) == "http://[::1]:80/"
    key = listeners.owner_key
    assert len(key) >= 32
    assert listeners.web_url(Address("192.0.2.1", 80)) == f"http://192.0.2.1:80/#key={key}"
    assert listeners.web_url(Address("0.0.0.0", 80)).endswith(f":80/#key={key}")


@pytest.mark.parametrize(
    ("gateway", "host", "origins"),
    [
        (Address("127.0.0.1", 8080), "localhost:8088", ["http://127.0.0.1:8080", "http://localhost:8080"]),
        (Address("0.0.0.0", 8080), "nas.example:8088", ["http://nas.example:8080", "http://*.ipfs.nas.example:8080"]),
        (Address("0.0.0.0", 8080), "127.0.0.1:8088", ["http://127.0.0.1:8080"]),
    ],
)
def test_content_is_shown_from_where_the_visitor_can_reach_it(gateway: Address, host: str, origins: list[str]) -> None:
    assert set(origins) <= set(gateway_origins(gateway, host))


def test_methods_of_files(daemon) -> None:
    assert daemon.request("POST", daemon.web, "/app.js").status == 405
    head = daemon.request("HEAD", daemon.web, "/app.js")
    assert head.body == b""
    assert int(head.headers["content-length"]) > 0
