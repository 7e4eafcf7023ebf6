"""Every error becomes an answer that says what, why and what to do; only a bug is `internal`."""

from __future__ import annotations

import errno

import pytest

from zwerm.core.errors import LocalProtocolError, NotFoundError, ResourceLimitError, StorageError, WireError
from zwerm.daemon.app.failure import AppError, explain
from zwerm.ipfs.block import BlockNotFound, CorruptBlock
from zwerm.ipfs.exchange.failure import FetchFailed
from zwerm.ipfs.mfs.errors import BadPath, FileExists, FileMissing, IsADirectory, NotADirectory, NotAFile
from zwerm.ipfs.versions.address import BadVersion
from zwerm.multiformats.cid import CID
from zwerm.node.setting import SettingError

CID_OF = CID.of(b"block")


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (BlockNotFound(CID_OF), "block-missing", 404),
        (FetchFailed(CID_OF, "no providers", "no"), "fetch-nobody", 404),
        (FetchFailed(CID_OF, "dial", "no"), "fetch-dial", 502),
        (FetchFailed(CID_OF, "transfer", "no", details=("gave a part: 12D3",)), "fetch-partial", 502),
        (CorruptBlock(CID_OF), "damaged", 500),
        (BadPath("no"), "bad-path", 400),
        (BadVersion("no"), "bad-version", 400),
        (FileExists("no"), "exists", 409),
        (IsADirectory("no"), "is-a-directory", 409),
        (NotADirectory("no"), "not-a-directory", 409),
        (NotAFile("no"), "is-a-directory", 409),
        (FileMissing("no"), "not-found", 404),
        (SettingError("no"), "invalid-settings", 422),
        (NotFoundError("no"), "not-found", 404),
        (ResourceLimitError("body of 5 bytes"), "too-large", 413),
        (ResourceLimitError("storage limit of 1 GB"), "quota", 507),
        (WireError("no"), "bad-request", 400),
        (LocalProtocolError("no"), "bad-request", 400),
        (StorageError("cannot write: the disk is full; make room"), "disk-full", 507),
        (OSError(errno.ENOSPC, "No space left on device"), "disk-full", 507),
        (OSError(errno.EROFS, "Read-only file system"), "read-only", 507),
        (StorageError("the index is odd"), "disk", 500),
        (KeyError("oops"), "internal", 500),
    ],
    ids=lambda value: f"{type(value).__name__} {value}" if isinstance(value, Exception) else None,
)
def test_what_was_raised_decides_code_and_status(error: Exception, code: str, status: int) -> None:
    found = explain(error)
    assert (found.code, found.status) == (code, status)
    document = found.document()["error"]
    assert document["code"] == code
    assert document["what"].endswith(".")
    assert not document["what"][0].islower()


def test_an_answer_stays_what_it_is() -> None:
    error = AppError("busy", "This is being done", "7")
    assert explain(error) is error
    assert error.document()["error"] == {
        "code": "busy",
        "what": "This is being done.",
        "why": None,
        "do": None,
        "details": "7",
    }


@pytest.mark.parametrize(
    ("number", "code"), [(errno.EDQUOT, "disk-full"), (errno.EROFS, "read-only"), (errno.EIO, "disk")], ids=str
)
def test_the_trouble_of_a_disk_is_found_behind_what_it_caused(number: int, code: str) -> None:
    error = StorageError("the pack cannot be written")
    error.__cause__ = ValueError("of")
    error.__cause__.__cause__ = OSError(number, "what the system says")
    assert explain(error).code == code


def test_a_bug_is_told_without_its_inside_but_with_a_reference() -> None:
    error = explain(KeyError("secret"))
    assert "secret" not in str(error.document())
    assert len(error.details) == 8


def test_what_the_disk_refused_is_told_in_its_own_words() -> None:
    assert explain(StorageError("index is odd")).document()["error"]["what"] == "Index is odd."


def test_a_block_is_named_in_the_details() -> None:
    assert explain(BlockNotFound(CID_OF)).details == explain(CorruptBlock(CID_OF)).details == str(CID_OF)


@pytest.mark.parametrize("text", ["What now?", "Stop!", "Done."])
def test_a_sentence_that_ends_is_left_alone(text: str) -> None:
    assert AppError("busy", text).document()["error"]["what"] == text
