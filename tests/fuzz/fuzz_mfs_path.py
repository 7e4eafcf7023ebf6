"""A files path is refused with BadPath, or it is clean, absolute and its text reads the same."""

from tests.fuzz.inputs import text
from zwerm.ipfs.mfs.errors import BadPath
from zwerm.ipfs.mfs.path import MAX_SEGMENTS, FilePath, check_name

SEEDS = [b"/", b"/a/b/", b"//a/./../b", b"relative", b"/..", "/\u00e9/\u4f60".encode(), b"/a\0b"]


def fuzz(data: bytes) -> None:
    given = text(data)
    try:
        path = FilePath.from_text(given)
    except BadPath:
        return
    assert FilePath.from_text(str(path)) == path
    assert len(path.segments) <= MAX_SEGMENTS
    assert not {"", ".", ".."} & set(path.segments)
    for name in path.segments:
        try:
            check_name(name)
        except BadPath:
            continue
        assert "/" not in name
        assert name.encode("utf-8", "surrogateescape")
