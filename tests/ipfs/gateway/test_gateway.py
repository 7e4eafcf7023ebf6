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
async def test_a_method_that_is_no_text_is_refused_as_any_other(accept: str) -> None:
    answer = await Site().get("/ipfs/", method="\udcffGET", accept=accept)
    assert answer.status == 405
    assert b"\\udcffGET" in answer.body


async def test_a_symlink_whose_target_is_no_utf_8_is_answered_with_its_bytes() -> None:
    site = Site()
    message = UnixFSData(DataType.SYMLINK, b"\xff/target")
    link = site.node(PBNode((), message.serialize()), multicodec.DAG_PB)
    answer = await site.get(f"/ipfs/{link}")
    assert (answer.status, answer.body) == (200, b"\xff/target")
