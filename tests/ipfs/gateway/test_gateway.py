"""The gateway answers requests that no browser makes, each with one clear line."""

import pytest

from tests.ipfs.gateway.site import Site
from zwerm.ipfs.ipld.dag_pb import PBNode
from zwerm.ipfs.unixfs.data import DataType, UnixFSData
from zwerm.multiformats import multicodec


async def test_a_query_of_too_many_parameters_is_refused() -> None:
    site = Site()
    cid = site.file(b"hello")
    assert (await site.get(f"/ipfs/{cid}?" + "&".join(["a=1"] * 64))).status == 200
    answer = await site.get(f"/ipfs/{cid}?" + "&".join(["a=1"] * 65))
    assert (answer.status, answer.body) == (400, b"query of more than 64 parameters\n")


@pytest.mark.parametrize("odd", ["\0", "\r\n", "\x7f", "\udcff"])
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
async def test_raw_bytes_that_are_no_text_are_refused_wherever_they_stand(odd: str, accept: str) -> None:
    site = Site()
    cid = site.file(b"hello")
    for answer in (
        await site.get(f"/ipfs/{cid}/{odd}", accept=accept),
        await site.get(f"/ipfs/{cid}?filename={odd}", accept=accept),
        await site.get(f"/ipfs/{cid}", host=f"localhost{odd}", accept=accept),
    ):
        assert answer.status == 400
        assert odd not in "".join(answer.headers.values())


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
@pytest.mark.parametrize("query", ["", "?format=tar", "?format=car", "?download=true"])
async def test_names_that_are_no_utf_8_are_reached_by_their_bytes(accept: str, query: str) -> None:
    """RFC 3986 section 2.1: `%FF` stands for the byte, and names in UnixFS are bytes."""
    site = Site()
    inner = await site.directory({"\udcff\udcfe": site.file(b"deep")})
    root = await site.directory({"caf\udce9.txt": site.file(b"latin"), "d\udcff": inner, "é": site.file(b"utf-8")})
    answer = await site.get(f"/ipfs/{root}/caf%E9.txt{query}", accept=accept)
    assert answer.status == 200
    assert query[:7] == "?format" or answer.body == b"latin"
    assert (await site.get(f"/ipfs/{root}/d%FF/%ff%FE")).body == b"deep"
    assert (await site.get(f"/ipfs/{root}/%C3%A9")).body == b"utf-8"
    missing = await site.get(f"/ipfs/{root}/%E9", accept=accept)
    assert missing.status == 404
    missing.body.decode()  # is UTF-8


async def test_a_folder_whose_name_is_no_utf_8_is_listed() -> None:
    site = Site()
    root = await site.directory({"d\udcff": await site.directory({"caf\udce9": site.file(b"latin")})})
    listing = (await site.get(f"/ipfs/{root}/d%FF/")).body.decode()
    assert '<a href="./caf%E9">' in listing
    assert "caf\ufffd</a>" in listing
    assert f"<p>/ipfs/{root}/d\ufffd" in listing
    redirected = await site.get(f"/ipfs/{root}/d%FF")
    assert redirected.headers["Location"] == f"/ipfs/{root}/d%FF/"


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
async def test_a_method_that_is_no_text_is_refused_as_any_other(accept: str) -> None:
    answer = await Site().get("/ipfs/", method="\udcffGET", accept=accept)
    assert answer.status == 405
    assert "\ufffdGET" in answer.body.decode()


async def test_a_symlink_whose_target_is_no_utf_8_is_answered_with_its_bytes() -> None:
    site = Site()
    message = UnixFSData(DataType.SYMLINK, b"\xff/target")
    link = site.node(PBNode((), message.serialize()), multicodec.DAG_PB)
    answer = await site.get(f"/ipfs/{link}")
    assert (answer.status, answer.body) == (200, b"\xff/target")
