"""A content path is refused with WireError, or its text names the same content; no segment of it walks."""

from tests.fuzz.inputs import text
from zwerm.core.errors import WireError
from zwerm.ipfs.ipld.path import ContentPath

_CID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
SEEDS = [f"/ipfs/{_CID}/a/b".encode(), f"{_CID}//a/".encode(), f"ipfs://{_CID}/a".encode(), b"/ipns/example.com/../a"]


def fuzz(data: bytes) -> None:
    try:
        path = ContentPath.from_text(text(data))
    except WireError:
        return
    assert ContentPath.from_text(str(path)) == path
    assert not {"", ".", ".."} & set(path.segments)
    assert not any("/" in segment for segment in path.segments)
