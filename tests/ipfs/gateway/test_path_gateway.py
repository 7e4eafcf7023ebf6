"""Path Gateway specification (2026-03-05): a test for each sentence that says MUST or SHOULD to a gateway.

The sentences about 429, 502, 504 and 503 speak of gateways that fetch from others or limit clients; that is the
server's to do and tested there. Each docstring quotes the sentence or the part of it that is tested.
"""

from __future__ import annotations

import json
import re
from urllib.parse import unquote

import pytest

from tests.ipfs.gateway.site import Site
from zwerm.ipfs.block import Block
from zwerm.ipfs.gateway.deserialized import PAGE
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.names import ResolvedName
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

ABSENT = CID.of(b"not here")
HELLO = b"hello gateway\n"


async def test_head_is_limited_to_the_minimal_dag_subset_for_its_headers() -> None:
    """Implementations SHOULD limit the scope of IPFS data transfer triggered by HEAD requests."""
    site = Site()
    cid = site.file(b"x" * 500_000)
    answer = await site.get(f"/ipfs/{cid}?filename=a.bin", method="HEAD")
    assert (answer.status, answer.body, answer.length) == (200, b"", 500_000)
    assert site.source.asked == [cid] * len(site.source.asked)


async def test_head_has_the_headers_of_get() -> None:
    site = Site()
    cid = site.file(HELLO)
    get, head = await site.get(f"/ipfs/{cid}"), await site.get(f"/ipfs/{cid}", method="HEAD")
    assert head.headers == get.headers
    assert head.length == get.length


async def test_only_if_cached_head_generates_no_transfer() -> None:
    """Implementation MUST ensure that handling only-if-cached HEAD response is fast and does not generate any I/O."""
    site = Site()
    answer = await site.get(f"/ipfs/{ABSENT}", method="HEAD", cache_control="only-if-cached")
    assert answer.status == 412
    assert site.source.asked == []


async def test_only_if_cached_answers_what_is_here() -> None:
    site = Site()
    cid = site.file(HELLO)
    assert (await site.get(f"/ipfs/{cid}", cache_control="only-if-cached")).status == 200


async def test_if_none_match_is_compared_with_the_etag_of_the_response() -> None:
    """The Gateway MUST compare Etag values sent in If-None-Match with Etag that would be sent with response."""
    site = Site()
    cid = site.file(HELLO)
    etag = (await site.get(f"/ipfs/{cid}")).headers["Etag"]
    assert etag == f'"{cid}"'
    assert (await site.get(f"/ipfs/{cid}", if_none_match='"other"')).status == 200
    assert (await site.get(f"/ipfs/{cid}?format=raw", if_none_match=etag)).status == 200


@pytest.mark.parametrize("query", ["", "?format=raw", "?format=car", "?format=tar"])
async def test_a_positive_match_returns_304_without_payload(query: str) -> None:
    """Positive match MUST return HTTP status code 304 (Not Modified), without any payload."""
    site = Site()
    cid = site.file(HELLO)
    etag = (await site.get(f"/ipfs/{cid}{query}")).headers["Etag"]
    answer = await site.get(f"/ipfs/{cid}{query}", if_none_match=f'"x", W/{etag.removeprefix("W/")}')
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["Etag"] == etag


async def test_a_listing_and_an_index_page_know_their_etags() -> None:
    site = Site()
    listing = await site.directory({"a.txt": b"a"})
    index = await site.directory({"index.html": b"<p>hi"})
    for cid in (listing, index):
        etag = (await site.get(f"/ipfs/{cid}/")).headers["Etag"]
        assert (await site.get(f"/ipfs/{cid}/", if_none_match=etag)).status == 304
    assert (await site.get(f"/ipfs/{listing}/")).headers["Etag"].startswith('"DirIndex-')


@pytest.mark.parametrize("form", ["dag-json", "dag-cbor", "json", "cbor"])
async def test_a_codec_that_does_not_match_produces_406(form: str) -> None:
    """SHOULD produce 406 Not Acceptable when the CID codec does not match."""
    site = Site()
    codes = {multicodec.DAG_CBOR, multicodec.DAG_JSON, multicodec.JSON, multicodec.CBOR}
    for code in codes - {multicodec.CODECS[form]}:
        cid = site.node({"a": 1}, code)
        assert (await site.get(f"/ipfs/{cid}?format={form}")).status == 406
    cid = site.node({"a": 1}, multicodec.CODECS[form])
    answer = await site.get(f"/ipfs/{cid}?format={form}")
    assert (answer.status, answer.body) == (200, site.store.get(cid))


async def test_format_dag_cbor_on_dag_pb_is_406() -> None:
    """Requesting ?format=dag-cbor on a dag-pb block SHOULD return a 406 response."""
    site = Site()
    cid = await site.directory({"a": b"a"})
    assert (await site.get(f"/ipfs/{cid}?format=dag-cbor")).status == 406


async def test_unixfs_files_of_valid_json_are_served_as_json() -> None:
    """For UnixFS files with valid JSON, implementations SHOULD allow serving the content as application/json."""
    site = Site()
    data = json.dumps({"a": list(range(1000))}).encode()
    for cid in (site.file(data), site.file(b"[1]")):
        answer = await site.get(f"/ipfs/{cid}", accept="application/json")
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/json"


async def test_json_of_anything_else_is_406() -> None:
    """SHOULD produce 406 Not Acceptable in all other cases."""
    site = Site()
    for cid in (site.file(b"no json"), await site.directory({"a": b"[]"})):
        assert (await site.get(f"/ipfs/{cid}?format=json")).status == 406


async def test_a_range_needs_the_minimal_dag_subset_only() -> None:
    """Gateway implementations SHOULD require only the minimal DAG subset necessary for the range request."""
    site = Site()
    cid = site.file(bytes(range(256)) * 4 * 1000)
    answer = await site.get(f"/ipfs/{cid}?filename=a.bin", range="bytes=500000-500009")
    assert answer.status == 206
    assert answer.body == (bytes(range(256)) * 4 * 1000)[500_000:500_010]
    assert len(site.source.asked) < 8


@pytest.mark.parametrize(
    ("wanted", "status", "body", "content_range"),
    [
        ("bytes=0-4", 206, b"hello", "bytes 0-4/14"),
        ("bytes=6-", 206, b"gateway\n", "bytes 6-13/14"),
        ("bytes=-8", 206, b"gateway\n", "bytes 6-13/14"),
        ("bytes=99-", 416, None, "bytes */14"),
        ("lines=1-2", 200, HELLO, None),
    ],
)
@pytest.mark.parametrize("query", ["", "?format=raw"])
async def test_single_range_requests(
    wanted: str, status: int, body: bytes | None, content_range: str | None, query: str
) -> None:
    """Gateways SHOULD support single range requests."""
    site = Site()
    answer = await site.get(f"/ipfs/{site.file(HELLO)}{query}", range=wanted)
    assert answer.status == status
    assert answer.headers.get("Content-Range") == content_range
    if body is not None:
        assert answer.body == body


async def test_several_ranges_come_as_multipart() -> None:
    site = Site()
    answer = await site.get(f"/ipfs/{site.file(HELLO)}", range="bytes=0-4,6-12")
    assert answer.status == 206
    boundary = answer.headers["Content-Type"].partition("boundary=")[2].encode()
    parts = answer.body.split(b"--" + boundary)
    assert [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts[1:-1]] == [b"hello", b"gateway"]
    assert b"Content-Range: bytes 6-12/14" in parts[2]


@pytest.mark.parametrize("path", ["", "/", "/sw.js"])
async def test_service_workers_are_denied_on_paths(path: str) -> None:
    """Requests to these paths with Service-Worker: script MUST be denied by returning HTTP 400."""
    site = Site()
    cid = await site.directory({"sw.js": b"self"})
    assert (await site.get(f"/ipfs/{cid}{path}", service_worker="script")).status == 400


async def test_download_true_sets_attachment() -> None:
    """Response to HTTP request with download=true MUST include Content-Disposition: attachment[;filename=...]."""
    site = Site()
    cid = site.file(HELLO)
    headers = (await site.get(f"/ipfs/{cid}?download=true&filename=a.txt")).headers
    assert headers["Content-Disposition"] == 'attachment; filename="a.txt"'
    inline = (await site.get(f"/ipfs/{cid}?filename=a.txt")).headers
    assert inline["Content-Disposition"] == 'inline; filename="a.txt"'
    assert "Content-Disposition" not in (await site.get(f"/ipfs/{cid}")).headers


async def test_format_takes_precedence_over_accept() -> None:
    """When both Accept and format are present, format SHOULD take precedence."""
    site = Site()
    answer = await site.get(f"/ipfs/{site.file(HELLO)}?format=raw", accept="application/vnd.ipld.car")
    assert answer.headers["Content-Type"] == "application/vnd.ipld.raw"


@pytest.mark.parametrize(("form", "accept"), [("raw", "application/vnd.ipld.raw"), ("car", "application/vnd.ipld.car")])
async def test_content_location_names_the_url_of_the_negotiated_form(form: str, accept: str) -> None:
    """Accept: application/vnd.ipld.raw SHOULD return a Content-Location: /ipfs/{cid}?format=raw header."""
    site = Site()
    cid = site.file(HELLO)
    expected = f"/ipfs/{cid}?format={form}"
    assert (await site.get(f"/ipfs/{cid}", accept=accept)).headers["Content-Location"] == expected
    other = await site.get(f"/ipfs/{cid}?format={form}", accept="application/x-tar")
    assert other.headers["Content-Location"] == expected
    assert "Content-Location" not in (await site.get(f"/ipfs/{cid}?format={form}")).headers


async def test_content_that_is_not_here_is_404() -> None:
    """Gateways MUST use 404 to signal that content is not available; MUST return 404 for missing root blocks."""
    site = Site()
    for query in ("", "?format=raw", "?format=car", "?format=tar"):
        for method in ("GET", "HEAD"):
            assert (await site.get(f"/ipfs/{ABSENT}{query}", method=method)).status == 404


async def test_a_missing_child_terminates_the_stream() -> None:
    """If a child block is missing during streaming, the gateway SHOULD terminate the stream."""
    site = Site()
    cid = site.file(bytes(range(256)) * 40)
    site.store.delete([Block.create((bytes(range(256)) * 40)[-1024:]).cid])
    for query in ("?filename=a.bin", "?format=car", "?format=tar"):
        with pytest.raises(LookupError):
            await site.get(f"/ipfs/{cid}{query}")


async def test_tar_of_what_is_not_unixfs_is_406() -> None:
    """Requesting ?format=tar for content that is not UnixFS SHOULD return 406."""
    site = Site()
    assert (await site.get(f"/ipfs/{site.node({'a': 1})}?format=tar")).status == 406


async def test_451_comes_with_an_explanation() -> None:
    """Response SHOULD include an explanation, as noted in Section 3 of RFC 7725."""
    cid = CID.of(HELLO)
    site = Site(denied=[f"{cid} legal"])
    site.file(HELLO)
    answer = await site.get(f"/ipfs/{cid}", accept="text/html")
    assert answer.status == 451
    assert b"legal demand" in answer.body


async def test_denied_content_is_an_error_wherever_it_stands() -> None:
    """Gateway MUST respond with HTTP error when requested CID is on any of active denylists."""
    site = Site(denied=[str(CID.of(HELLO))])
    folder = await site.directory({"a": HELLO})
    assert (await site.get(f"/ipfs/{CID.of(HELLO)}")).status == 410
    assert (await site.get(f"/ipfs/{folder}/a")).status == 410
    assert (await site.get(f"/ipfs/{folder}/a?format=car")).status == 410


async def test_immutable_resources_may_be_cached_for_ever() -> None:
    """Cache-Control: public, max-age=29030400, immutable MUST be returned for every immutable resource under /ipfs/."""
    site = Site()
    cid = await site.directory({"a.txt": HELLO, "index.html": b"<p>"})
    for path in ("/a.txt", "/", "/a.txt?format=raw", "/a.txt?format=car", "?format=tar"):
        answer = await site.get(f"/ipfs/{cid}{path}")
        assert answer.headers["Cache-Control"] == "public, max-age=29030400, immutable"


async def test_mutable_resources_are_cached_for_their_ttl() -> None:
    """Cache-Control: public, max-age=<ttl> SHOULD be returned for mutable resources under /ipns/."""
    site = Site()
    site.names.known["example.org"] = ResolvedName(ContentPath.of(site.file(HELLO)), time_to_live=300)
    answer = await site.get("/ipns/example.org")
    assert answer.body == HELLO
    assert answer.headers["Cache-Control"] == "public, max-age=300"


async def test_an_unknown_ttl_sends_no_cache_control() -> None:
    """If TTL value is unknown, implementations SHOULD not send a Cache-Control."""
    site = Site()
    site.names.known["example.org"] = ResolvedName(ContentPath.of(site.file(HELLO)))
    assert "Cache-Control" not in (await site.get("/ipns/example.org")).headers


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("style.css", "text/css; charset=utf-8"),
        ("plain", "text/plain; charset=utf-8"),
        ("drawing", "image/svg+xml"),
        ("plain?filename=a.png", "image/png"),
    ],
)
async def test_content_type_is_sniffed_from_name_and_magic_bytes(path: str, media_type: str) -> None:
    """Implementations SHOULD perform content type sniffing based on file name and magic bytes."""
    site = Site()
    cid = await site.directory({"style.css": b"p{}", "plain": HELLO, "drawing": b"<svg xmlns='x'/>"})
    assert (await site.get(f"/ipfs/{cid}/{path}")).headers["Content-Type"] == media_type


@pytest.mark.parametrize("query", ["", "?a=b"])
async def test_a_directory_without_a_trailing_slash_is_redirected(query: str) -> None:
    """Gateway MUST return a redirect when a valid UnixFS directory was requested without the trailing /."""
    site = Site()
    cid = await site.directory({"sub": await site.directory({"index.html": b"<p>"})})
    for path in (f"/ipfs/{cid}", f"/ipfs/{cid}/sub"):
        answer = await site.get(path + query)
        assert answer.status == 301
        assert answer.headers["Location"] == f"{path}/{query}"


async def test_a_redirect_stays_on_its_host() -> None:
    site = Site()
    cid = await site.directory({"evil.example": await site.directory({"a": b"a"})})
    answer = await site.get("//evil.example", host=f"{cid}.ipfs.localhost")
    assert answer.headers.get("Location", "/x").startswith("/")
    assert not answer.headers.get("Location", "/x").startswith("//")


async def test_the_path_and_the_roots_are_told() -> None:
    """X-Ipfs-Path and X-Ipfs-Roots SHOULD be returned with deserialized responses."""
    site = Site()
    leaf = site.file(HELLO)
    sub = await site.directory({"a.txt": leaf})
    root = await site.directory({"sub": sub})
    headers = (await site.get(f"/ipfs/{root}/sub/a.txt")).headers
    assert headers["X-Ipfs-Path"] == f"/ipfs/{root}/sub/a.txt"
    assert headers["X-Ipfs-Roots"] == f"{root},{sub},{leaf}"


async def test_index_html_is_shown_instead_of_a_listing() -> None:
    """When index.html is present, gateway MUST skip generating directory index and return index.html instead."""
    site = Site()
    cid = await site.directory({"index.html": b"<p>welcome", "other": b"o"})
    answer = await site.get(f"/ipfs/{cid}/")
    assert answer.body == b"<p>welcome"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


async def test_a_listing_names_every_entry() -> None:
    site = Site()
    names = ["a b", "<b>", "één", "x%20y", "🐦.txt"]
    cid = await site.directory({name: name.encode() for name in names})
    page = (await site.get(f"/ipfs/{cid}/")).body.decode()
    assert "a%20b" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "x%2520y" in page
    for name in ("a%20b", "%C3%A9%C3%A9n", "x%2520y", "%F0%9F%90%A6.txt"):
        assert (await site.get(f"/ipfs/{cid}/{name}")).status == 200


@pytest.mark.parametrize("sharded", [False, True], ids=["one block", "sharded"])
async def test_a_wide_directory_is_listed_page_by_page_and_every_entry_once(sharded: bool) -> None:
    site = Site()
    names = {f"entry {number:05} é" + "x" * (70 if sharded else 0) for number in range(2 * PAGE + 7)}
    cid = await site.directory(dict.fromkeys(names, b"1"))
    seen: list[str] = []
    path: str | None = f"/ipfs/{cid}/"
    for rows in (PAGE, PAGE, 7):
        assert path is not None
        answer = await site.get(path)
        found = re.findall(r'<td><a href="\./([^"]+)"', answer.body.decode())
        assert len(found) == rows
        assert (await site.get(path, if_none_match=answer.headers["Etag"])).status == 304
        seen += map(unquote, found)
        following = re.search(r'rel="next" href="([^"]+)"', answer.body.decode())
        path = f"/ipfs/{cid}/{following[1]}" if following else None
    assert path is None
    assert len(seen) == len(names)
    assert set(seen) == names


async def test_a_path_that_leads_nowhere_is_404_and_says_where() -> None:
    """Gateway MUST respond with HTTP error when it is not possible to traverse the requested content path."""
    site = Site()
    cid = await site.directory({"a.txt": HELLO})
    for path in ("b.txt", "a.txt/below", "b/c"):
        answer = await site.get(f"/ipfs/{cid}/{path}")
        assert answer.status == 404
        assert b"no link named" in answer.body


@pytest.mark.parametrize(
    "root", ["bafyinvalid", "Qm", "x", "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n51", "%FF"]
)
async def test_an_invalid_root_is_400(root: str) -> None:
    """400 Bad Request should be returned when the root CID under the ipfs namespace is invalid."""
    assert (await Site().get(f"/ipfs/{root}")).status == 400


async def test_a_path_into_a_block_is_501() -> None:
    """Implementations should return HTTP 501 when the fully resolved content path has any remainder left."""
    site = Site()
    leaf = site.file(HELLO)
    cid = site.node({"a": {"b": 1}, "link": leaf})
    assert (await site.get(f"/ipfs/{cid}/a/b")).status == 501
    assert (await site.get(f"/ipfs/{cid}/link")).body == HELLO
    assert (await site.get(f"/ipfs/{cid}/nothing")).status == 404


async def test_a_browser_sees_a_node_as_a_page_and_a_program_as_bytes() -> None:
    site = Site()
    cid = site.node({"a": "<script>"})
    page = await site.get(f"/ipfs/{cid}", accept="text/html")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"<script>" not in page.body
    assert b"?format=dag-cbor" in page.body
    plain = await site.get(f"/ipfs/{cid}")
    assert plain.body == site.store.get(cid)
    assert plain.headers["Content-Type"] == "application/vnd.ipld.dag-cbor"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE"])
async def test_other_methods_are_405(method: str) -> None:
    answer = await Site().get("/ipfs/bafkqaaa", method=method)
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


async def test_scripts_do_not_run_on_the_shared_origin() -> None:
    site = Site()
    cid = await site.directory({"index.html": b"<script>1</script>", "a.svg": b"<svg/>", "a.png": b"x"})
    for path in ("", "a.svg"):
        assert (await site.get(f"/ipfs/{cid}/{path}")).headers["Content-Security-Policy"] == "sandbox"
    assert "Content-Security-Policy" not in (await site.get(f"/ipfs/{cid}/a.png")).headers


async def test_a_page_opened_on_a_path_is_sent_to_its_own_origin() -> None:
    site = Site()
    cid = await site.directory({"index.html": b"<script>1</script>"})
    answer = await site.get(f"/ipfs/{cid}/?a=b", sec_fetch_dest="document")
    assert answer.status == 301
    assert answer.headers["Location"] == f"http://{cid}.ipfs.localhost:8080/?a=b"


async def test_a_damaged_directory_is_one_clear_line() -> None:
    site = Site()
    bad = Block.create(b"\x0a\xff not dag-pb", multicodec.DAG_PB)
    site.store.put([bad])
    answer = await site.get(f"/ipfs/{bad.cid}/")
    assert answer.status == 400
    assert answer.body.count(b"\n") == 1
