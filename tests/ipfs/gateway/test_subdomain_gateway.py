"""Subdomain Gateway specification (2025-04-03): a test for each sentence that says MUST or SHOULD to a gateway."""

from __future__ import annotations

import pytest

from tests.ipfs.gateway.site import Site
from zwerm.ipfs.gateway.gateway import GatewayConfig
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.names import ResolvedName
from zwerm.multiformats.cid import CID

KEY = "k51qzi5uqu5dm4tm0wt8srkg9h9suud4wuiwjimndrkydqm81cqtlb5ak6p7ku"


async def test_content_is_shown_under_its_own_host() -> None:
    site = Site()
    cid = await site.directory({"index.html": b"<p>home", "a": b"A"})
    assert (await site.get("/", host=f"{cid}.ipfs.localhost:8080")).body == b"<p>home"
    assert (await site.get("/a", host=f"{cid}.IPFS.localhost:8080")).body == b"A"


async def test_scripts_run_where_the_origin_is_the_contents_own() -> None:
    site = Site()
    cid = await site.directory({"index.html": b"<script>1</script>", "sw.js": b"self"})
    answer = await site.get("/", host=f"{cid}.ipfs.localhost")
    assert "Content-Security-Policy" not in answer.headers
    assert (await site.get("/sw.js", host=f"{cid}.ipfs.localhost", service_worker="script")).status == 200


async def test_dnslink_names_are_inlined_into_a_single_label() -> None:
    """DNSLink names include . which means they MUST be inlined into a single DNS label."""
    site = Site()
    site.names.known["en.wikipedia-on-ipfs.org"] = ResolvedName(ContentPath.of(site.file(b"wiki")))
    answer = await site.get("/ipns/en.wikipedia-on-ipfs.org/", host="localhost:8080")
    assert answer.headers["Location"] == "http://en-wikipedia--on--ipfs-org.ipns.localhost:8080/"
    assert (await site.get("/", host="en-wikipedia--on--ipfs-org.ipns.localhost:8080")).body == b"wiki"


@pytest.mark.parametrize("path", ["", "/", "/a/b%20c", "/a?x=y&z", "/?download=true"])
async def test_paths_are_migrated_to_subdomains(path: str) -> None:
    """Gateway MUST attempt to migrate; the redirect MUST preserve the originally requested path and query."""
    site = Site()
    cid = await site.directory({"a": b"a"})
    answer = await site.get(f"/ipfs/{cid}{path}", host="localhost:8080")
    assert answer.status == 301
    expected = path if path.startswith("/") else f"/{path}"
    assert answer.headers["Location"] == f"http://{cid}.ipfs.localhost:8080{expected}"


async def test_a_proxy_that_speaks_https_gets_https_redirects() -> None:
    """X-Forwarded-Proto: https MUST set all absolute redirect URLs to https:// and inline DNSLink names."""
    site = Site(GatewayConfig(subdomains=frozenset({"dweb.link"})))
    answer = await site.get("/ipns/your-dnslink.site.example.com", host="dweb.link", x_forwarded_proto="https")
    assert answer.headers["Location"] == "https://your--dnslink-site-example-com.ipns.dweb.link/"


async def test_a_forwarded_host_is_where_the_redirect_goes() -> None:
    site = Site(GatewayConfig(subdomains=frozenset({"dweb.link"})))
    cid = site.file(b"a")
    answer = await site.get(f"/ipfs/{cid}", host="dweb.link", x_forwarded_host="example.com", x_forwarded_proto="https")
    assert answer.headers["Location"] == f"https://{cid}.ipfs.example.com/"


async def test_validation_before_the_redirect_is_of_the_root_only() -> None:
    """Content path validation before the redirect SHOULD be limited to the correctness of the root CID."""
    site = Site()
    cid = CID.of(b"not here")
    answer = await site.get(f"/ipfs/{cid}/no/such/path", host="localhost")
    assert answer.status == 301
    assert site.source.asked == []
    assert (await site.get("/ipfs/bafyinvalid/", host="localhost")).status == 400


async def test_redirects_files_are_read_after_the_redirect_only() -> None:
    """Processing the _redirects file SHOULD only be executed by the subdomain gateway after the redirect."""
    site = Site()
    cid = await site.directory({"_redirects": b"/* /a 302", "a": b"A"})
    assert (await site.get(f"/ipfs/{cid}/gone", host="localhost")).status == 301
    assert (await site.get("/gone", host=f"{cid}.ipfs.localhost")).status == 302
    assert (await site.get(f"/ipfs/{cid}/gone")).status == 404


async def test_the_root_is_converted_to_a_form_without_case() -> None:
    """Before redirecting, the content root identifier MUST be converted to case-insensitive/inlined form."""
    site = Site()
    answer = await site.get("/ipfs/QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR", host="localhost")
    expected = "http://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi.ipfs.localhost/"
    assert answer.headers["Location"] == expected
    key = await site.get(f"/ipns/{CID.from_text(KEY).encode('base32')}/x", host="localhost")
    assert key.headers["Location"] == f"http://{KEY}.ipns.localhost/x"


async def test_a_root_too_long_for_a_label_is_400() -> None:
    site = Site()
    cid = CID.of(b"long", hash_code=0x13)
    assert (await site.get(f"/ipfs/{cid}", host="localhost")).status == 400
    assert (await site.get(f"/ipfs/{cid}")).status == 404


@pytest.mark.parametrize("namespace", ["ipfs", "ipns"])
async def test_uri_router(namespace: str) -> None:
    """Implementations MUST provide URI router for ipfs:// and ipns://, compatible with registerProtocolHandler."""
    site = Site()
    root = {"ipfs": str(site.file(b"a")), "ipns": "example.org"}[namespace]
    answer = await site.get(f"/{namespace}/?uri={namespace}%3A%2F%2F{root}%2Fa%20b%3Fx%3Dy", host="localhost:8080")
    assert answer.status == 301
    assert answer.headers["Location"] == f"/{namespace}/{root}/a%20b?x=y"


async def test_uri_router_refuses_other_schemes() -> None:
    assert (await Site().get("/ipfs/?uri=https%3A%2F%2Fexample.org", host="localhost")).status == 400


async def test_a_host_that_names_no_content_is_400() -> None:
    assert (await Site().get("/", host="nonsense.ipfs.localhost")).status == 400


async def test_a_root_directory_needs_no_slash_of_its_own() -> None:
    site = Site()
    cid = await site.directory({"sub": await site.directory({"a": b"a"})})
    host = f"{cid}.ipfs.localhost"
    assert (await site.get("/", host=host)).status == 200
    assert (await site.get("/sub", host=host)).headers["Location"] == "/sub/"


async def test_a_dnslink_host_is_looked_up_where_that_is_on() -> None:
    site = Site(GatewayConfig(dnslink=True))
    site.names.known["example.org"] = ResolvedName(ContentPath.of(await site.directory({"a": b"A"})))
    assert (await site.get("/a", host="example.org")).body == b"A"
    assert (await Site().get("/a", host="example.org")).status == 404


async def test_a_dnslink_may_point_at_a_path_which_is_preserved() -> None:
    """Each DNSLink may include an additional path segment, which MUST be preserved."""
    site = Site(GatewayConfig(dnslink=True))
    inner = await site.directory({"path-b": await site.directory({"path-a": b"found"})})
    root = await site.directory({"path-c": inner})
    site.names.known["a.example.com"] = ResolvedName(ContentPath.of(root, "path-c", "path-b"))
    assert (await site.get("/path-a", host="a.example.com")).body == b"found"
