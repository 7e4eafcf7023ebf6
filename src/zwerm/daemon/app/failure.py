"""How the app API tells that something went wrong: what, why, and what to do now (`docs/app-api.md`, "Conventions")."""

from __future__ import annotations

import errno
import secrets
from typing import Any, Final

from zwerm.core.errors import (
    LocalProtocolError,
    NotFoundError,
    ResourceLimitError,
    StorageError,
    WireError,
)
from zwerm.ipfs.block import BlockNotFound, CorruptBlock
from zwerm.ipfs.exchange.failure import FetchFailed
from zwerm.ipfs.mfs.errors import BadPath, FileExists, IsADirectory, NotADirectory, NotAFile
from zwerm.ipfs.versions.address import BadVersion
from zwerm.node.setting import SettingError

_STATUS: Final = {
    "bad-request": 400,
    "bad-path": 400,
    "bad-cid": 400,
    "bad-address": 400,
    "bad-version": 400,
    "session": 401,
    "key": 401,
    "origin": 403,
    "not-found": 404,
    "block-missing": 404,
    "fetch-nobody": 404,
    "fetch-dial": 502,
    "fetch-partial": 502,
    "method": 405,
    "exists": 409,
    "not-a-directory": 409,
    "is-a-directory": 409,
    "not-empty": 409,
    "busy": 409,
    "too-large": 413,
    "invalid-settings": 422,
    "damaged": 500,
    "disk": 500,
    "internal": 500,
    "unreachable": 502,
    "alone": 409,
    "stopping": 503,
    "quota": 507,
    "disk-full": 507,
    "read-only": 507,
}
_WHY: Final = {
    "session": "The node was restarted, or this page was opened before it ran.",
    "key": "The request comes from another machine, and does not carry the owner's key.",
    "origin": "Only the node's own page may use it.",
    "block-missing": "The content is not on this node, and it is not connected to a network.",
    "fetch-nobody": "Nobody who could be asked has it now; the details say who was.",
    "fetch-dial": "Those who have it could not be reached; the details say why.",
    "fetch-partial": "Those who have it gave only a part of it.",
    "quota": "All the space that the node may use is taken.",
    "disk-full": "There is no space left on the disk.",
    "read-only": "The node's files lie on a disk that cannot be written now.",
    "disk": "The disk, or the system it belongs to, refused.",
    "damaged": "The disk gave back other bytes than were written.",
    "internal": "This is a mistake in zwerm.",
    "unreachable": "None of its addresses led to it; the details say what each answered.",
    "alone": "It was started without a network.",
    "stopping": "The node is being stopped.",
}
_DO: Final = {
    "session": "Load the page again.",
    "key": "Open the address that `zwerm up` printed on that machine.",
    "exists": "Choose another name, or replace what is there.",
    "block-missing": "Add the content again, or ask whoever gave you the address.",
    "fetch-nobody": "Try again when somebody who has it is there, or ask whoever gave you the address.",
    "fetch-dial": "Try again later.",
    "fetch-partial": "Try again: what came is kept, and it goes on from there.",
    "quota": "Free space on the Storage page, or raise storage.max in the settings.",
    "disk-full": "Make room on the disk and try again.",
    "read-only": "Make the disk writable; reading works meanwhile, and the node need not be started again.",
    "disk": "Look at the disk and at the system's log; `zwerm doctor` says what the node finds.",
    "damaged": "Run `zwerm repo repair`, then add the file again.",
    "internal": "Try again; if it stays, report it with the reference in the details.",
    "unreachable": "Check the address, and whether the other node runs.",
    "alone": "Start it with `zwerm up`, without --offline.",
    "stopping": "Start it again with `zwerm up`, then load the page again.",
    "not-found": "Go back to the folder; somebody may have moved it.",
}
_PHASES: Final = {"no providers": "fetch-nobody", "dial": "fetch-dial", "transfer": "fetch-partial"}
_OF_THE_DISK: Final = {errno.ENOSPC: "disk-full", errno.EDQUOT: "disk-full", errno.EROFS: "read-only"}


class AppError(Exception):
    """An answer that is no success."""

    def __init__(self, code: str, what: str, details: Any = None) -> None:
        super().__init__(what)
        self.code = code
        self.status = _STATUS[code]
        self.details = details

    def document(self) -> dict[str, Any]:
        """Return what is sent."""
        return {
            "error": {
                "code": self.code,
                "what": _sentence(str(self)),
                "why": _WHY.get(self.code),
                "do": _DO.get(self.code),
                "details": self.details,
            }
        }


def explain(error: Exception) -> AppError:
    """Turn what an operation raised into an answer. A code `internal` is a bug, to be logged with its reference."""
    if isinstance(error, AppError):
        return error
    if isinstance(error, FetchFailed):
        what = f"{error.cid} is not here and could not be fetched"
        return AppError(_PHASES[error.phase], what, "\n".join([str(error.cid), *error.details]))
    text = str(error)
    code = next((code for kind, code in _CODES if isinstance(error, kind)), "internal")
    if code == "internal":
        code = _disk_trouble(error)
    details: Any = None
    if isinstance(error, (BlockNotFound, CorruptBlock)):
        details = str(error.cid)
    elif code == "internal":
        details = secrets.token_hex(4)
        text = "Something went wrong that should not be able to"
    elif code == "too-large" and text.startswith("storage limit"):
        code = "quota"
    return AppError(code, text, details)


_CODES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (BlockNotFound, "block-missing"),
    (CorruptBlock, "damaged"),
    (BadPath, "bad-path"),
    (BadVersion, "bad-version"),
    (FileExists, "exists"),
    (IsADirectory, "is-a-directory"),
    (NotADirectory, "not-a-directory"),
    (NotAFile, "is-a-directory"),
    (SettingError, "invalid-settings"),
    (NotFoundError, "not-found"),
    (ResourceLimitError, "too-large"),
    (WireError, "bad-request"),
    (LocalProtocolError, "bad-request"),
)


def _disk_trouble(error: BaseException | None) -> str:
    """Return the code of what the disk did, or `internal`: an error of ours may wrap the system's."""
    code = "internal"
    while error is not None:
        if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
            return _OF_THE_DISK[error.errno]
        if isinstance(error, StorageError):
            if "disk is full" in str(error):
                return "disk-full"
            code = "disk"
        error = error.__cause__
    return code


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
