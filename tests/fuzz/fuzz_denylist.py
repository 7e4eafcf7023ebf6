"""A denylist is refused with LocalProtocolError, or it refuses what it lists and answers for any CID."""

from tests.fuzz.inputs import text
from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.gateway.denylist import Denylist
from zwerm.multiformats.cid import CID

_CID = CID.of(b"x")
SEEDS = [f"{_CID}\n".encode(), f"/ipfs/{_CID}/ legal\n# why".encode(), b"//" + b"0f" * 32, b"\n\n#\n"]


def fuzz(data: bytes) -> None:
    try:
        denylist = Denylist(text(data).splitlines())
    except LocalProtocolError:
        return
    assert denylist.check(_CID) in {None, 410, 451}
    assert len(denylist) <= data.count(b"\n") + data.count(b"\r") + len(text(data).splitlines())
