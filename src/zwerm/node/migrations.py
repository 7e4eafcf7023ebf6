"""Repository versions: what each step changes on the disk, and how a repository of an older version is brought here.

The file `version` holds one number. A step must be repeatable from its beginning: when it is cut off, the number is
still the old one and the step runs again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from zwerm.core.errors import StorageError
from zwerm.node.atomic import write_atomically

VERSION: Final = 1
VERSION_NAME: Final = "version"

MIGRATIONS: Final[Mapping[int, Callable[[Path], None]]] = {}  # from version N to N + 1


class NewerRepository(StorageError):
    """A later release of zwerm wrote this repository; it was not touched."""

    def __init__(self, path: Path, version: int, known: int) -> None:
        super().__init__(
            f"repository {path} has version {version}, this zwerm knows up to {known}; update zwerm to open it"
        )


def read_version(repository: Path) -> int | None:
    """Return the repository's version, or None where its creation was never finished.

    Raises:
        StorageError: the file holds something else.
    """
    try:
        text = (repository / VERSION_NAME).read_text("ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StorageError(f"cannot read {repository / VERSION_NAME}: {error}") from error
    if not text:
        return None
    if not text.isdigit() or len(text) > 9:
        raise StorageError(f"{repository / VERSION_NAME} holds {text[:32]!r}, expected a number")
    return int(text)


def migrate(
    repository: Path,
    found: int,
    *,
    known: int = VERSION,
    steps: Mapping[int, Callable[[Path], None]] = MIGRATIONS,
) -> list[int]:
    """Bring the repository from version `found` to `known`; return the versions it went through.

    Raises:
        NewerRepository: `found` is above `known`; nothing was changed.
        StorageError: no step leads on from a version, or a step failed; the version reached stays readable.
    """
    if found > known:
        raise NewerRepository(repository, found, known)
    passed = []
    for version in range(found, known):
        if version not in steps:
            raise StorageError(f"repository {repository} has version {version}, from which no migration leads on")
        steps[version](repository)
        write_atomically(repository / VERSION_NAME, b"%d\n" % (version + 1), mode=0o600)
        passed.append(version + 1)
    return passed
