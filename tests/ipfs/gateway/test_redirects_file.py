"""Web Redirects File specification (2025-03-19), through the gateway; the file format is tested in `test_redirects`."""

from __future__ import annotations

import pytest

from tests.ipfs.gateway.site import Site
from zwerm.ipfs.gateway.redirects import MAX_SIZE
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.names import ResolvedName

RULES = b"""\
/redirect-one /one.html
/302-redirect-two /two.html 302
/200-index /index.html 200
/splat/* /redirected-splat/:splat 301
/not-found/* /404.html 404
/gone/* /410.html 410
/unavail/* /451.html 451
/elsewhere/* https://example.net/:splat 307
/* /index.html 200
"""
PAGES = {f"{name}.html": name.encode() for name in ("index", "one", "two", "404", "410", "451")}


async def ask(site: Site, rules: bytes, path: str, **entries: bytes) -> tuple[int, str | None, bytes]:
    cid = await site.directory({"_redirects": rules} | PAGES | entries)
    answer = await site.get(path, host=f"{cid}.ipfs.localhost:8080")
    return answer.status, answer.headers.get("Location"), answer.body


@pytest.mark.parametrize(
    ("path", "status", "location", "body"),
    [
        ("/redirect-one", 301, "/one.html", b""),
        ("/302-redirect-two?a=b", 302, "/two.html?a=b", b""),
        ("/200-index", 200, None, b"index"),
        ("/splat/x/y", 301, "/redirected-splat/x/y", b""),
        ("/not-found/x", 404, None, b"404"),
        ("/gone/x", 410, None, b"410"),
        ("/unavail/x", 451, None, b"451"),
        ("/elsewhere/x?q=1", 307, "https://example.net/x?q=1", b""),
        ("/any/thing", 200, None, b"index"),
    ],
)
async def test_rules_are_applied(path: str, status: int, location: str | None, body: bytes) -> None:
    assert await ask(Site(), RULES, path) == (status, location, body)


async def test_existing_paths_are_never_redirected() -> None:
    """All redirect logic MUST only be evaluated if the requested path is not present in the DAG."""
    assert await ask(Site(), b"/one.html /two.html 301", "/one.html") == (200, None, b"one")


async def test_rules_are_evaluated_on_isolated_origins_only() -> None:
    """Rules MUST only be evaluated in contexts where Same-Origin isolation per root CID is possible."""
    site = Site()
    cid = await site.directory({"_redirects": RULES} | PAGES)
    assert (await site.get(f"/ipfs/{cid}/redirect-one")).status == 404


async def test_the_file_must_lie_below_the_root() -> None:
    """The Redirects File MUST be named _redirects and stored underneath the root CID of the website."""
    site = Site()
    cid = await site.directory({"sub": await site.directory({"_redirects": RULES} | PAGES)})
    assert (await site.get("/sub/redirect-one", host=f"{cid}.ipfs.localhost")).status == 404


@pytest.mark.parametrize("rules", [b"nonsense", b"/:a/:a /b", b"/a /b 999", b"\xff\xff", b"#" * (MAX_SIZE + 1)])
async def test_a_broken_file_is_told_with_500(rules: bytes) -> None:
    """If there is an error reading or parsing it, the errors MUST be returned to the user with a 500 status code."""
    status, _, body = await ask(Site(), rules, "/missing")
    assert status == 500
    assert b"_redirects" in body or b"limit" in body


async def test_no_matching_rule_is_an_ordinary_404() -> None:
    assert (await ask(Site(), b"/a /b", "/c"))[0] == 404


async def test_a_rewrite_to_a_page_that_is_not_there_is_404() -> None:
    assert (await ask(Site(), b"/a /nowhere.html 200", "/a"))[0] == 404


async def test_rules_do_not_chase_each_other() -> None:
    assert (await ask(Site(), b"/a /b 200\n/b /a 200", "/a"))[0] == 404


async def test_verifiable_forms_know_no_redirects() -> None:
    site = Site()
    cid = await site.directory({"_redirects": RULES} | PAGES)
    assert (await site.get("/redirect-one?format=raw", host=f"{cid}.ipfs.localhost")).status == 404


async def test_a_dnslink_below_a_path_uses_its_own_root() -> None:
    """DNSLink Gateway implementations SHOULD include _redirects file support."""
    site = Site()
    root = await site.directory({"site": await site.directory({"_redirects": RULES} | PAGES)})
    site.names.known["example.org"] = ResolvedName(ContentPath.of(root, "site"))
    answer = await site.get("/redirect-one", host="example-org.ipns.localhost")
    assert (answer.status, answer.headers["Location"]) == (301, "/one.html")


async def test_a_redirect_location_cannot_carry_header_bytes() -> None:
    status, location, _ = await ask(Site(), b"/* /x/:splat 301", "/a%0d%0aSet-Cookie:x")
    assert status == 301
    assert location is not None
    assert "\r" not in location
    assert "\n" not in location
