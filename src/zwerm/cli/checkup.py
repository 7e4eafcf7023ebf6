"""What `zwerm doctor` looks at: each check says what it found and, where that is not well, what to do."""

from __future__ import annotations

import enum
import os
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from zwerm import __version__
from zwerm.cli.client import DaemonUnreachable, daemon_address
from zwerm.cli.output import human_size
from zwerm.core.errors import ZwermError

if TYPE_CHECKING:
    from zwerm.cli.session import Session
    from zwerm.node.config import Config

_SCARCE: Final = 1_000_000_000  # bytes free on the disk below which a warning is due
_FILES: Final = 1024  # open files that a busy node may want
_PORTS: Final = ("addresses.api", "addresses.gateway", "addresses.web")


class Verdict(enum.Enum):
    """How it stands."""

    GOOD = "ok"
    ODD = "note"
    BAD = "bad"


class Finding(NamedTuple):
    """The outcome of one check."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""


def checkup(session: Session) -> Iterator[Finding]:
    """Look at everything; a check that needs what an earlier one found missing is left out."""
    yield from _program()
    path = session.settings.repository
    yield from _disk(path)
    found = _repository(path)
    yield found
    if found.verdict is Verdict.BAD or not (path / "version").exists():
        return
    config, finding = _config(path)
    yield finding
    running, finding = _daemon(path)
    yield finding
    if config is not None and not running:
        yield from _ports(config)
    yield from _content(session)


def _program() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("zwerm", Verdict.GOOD, f"{__version__} on Python {version}, {platform.system()} {platform.machine()}")
    if util.find_spec("uvloop") is None:
        yield Finding("event loop", Verdict.ODD, "uvloop is not installed", "pip install uvloop makes the node faster")
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _FILES:
        advice = f"ulimit -n {min(hard, 65_536)}" if hard >= _FILES else "raise the limit of open files"
        yield Finding("open files", Verdict.ODD, f"at most {soft}", advice)


def _disk(path: Path) -> Iterator[Finding]:
    place = path
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    verdict = Verdict.GOOD if free > _SCARCE else Verdict.BAD
    advice = "" if free > _SCARCE else "make room, or move the repository (ZWERM_PATH) to another disk"
    yield Finding("disk", verdict, f"{human_size(free)} free for {path}", advice)


def _repository(path: Path) -> Finding:
    from zwerm.node.migrations import VERSION, read_version
    from zwerm.node.repository import is_kubo_repository

    if not path.exists():
        return Finding("repository", Verdict.GOOD, f"none at {path}; the first command makes it")
    if not path.is_dir():
        return Finding("repository", Verdict.BAD, f"{path} is a file", "set ZWERM_PATH to a folder")
    if is_kubo_repository(path):
        return Finding(
            "repository", Verdict.BAD, f"{path} is Kubo's", "set ZWERM_PATH to another folder; it is left alone"
        )
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return Finding("repository", Verdict.BAD, f"{path} cannot be written", f"chown it to yourself: {path}")
    try:
        version = read_version(path)
    except (ZwermError, OSError) as error:
        return Finding("repository", Verdict.BAD, str(error), "restore the folder from a copy")
    if version is None:
        return Finding("repository", Verdict.ODD, f"{path} is not finished", "the next command finishes it")
    if version > VERSION:
        return Finding(
            "repository", Verdict.BAD, f"version {version}, this zwerm knows {VERSION}", "install a newer zwerm"
        )
    key = path / "key"
    if not key.exists():
        return Finding("repository", Verdict.BAD, "the node's key is missing", f"restore {key} from a copy")
    if key.stat().st_mode & 0o077:
        return Finding("repository", Verdict.BAD, f"others can read {key}", f"chmod 600 {key}")
    return Finding("repository", Verdict.GOOD, f"{path}, version {version}")


def _config(path: Path) -> tuple[Config | None, Finding]:
    from zwerm.node.config import Config

    try:
        config = Config(path / "config.toml")
    except (ZwermError, OSError) as error:
        return None, Finding("settings", Verdict.BAD, str(error), f"correct {path / 'config.toml'}")
    changed = sum(shown.is_set for shown in config.show())
    return config, Finding("settings", Verdict.GOOD, f"profile {config.profile}, {changed} changed")


def _daemon(path: Path) -> tuple[bool, Finding]:
    from zwerm.node.lock import RepositoryLock, RepositoryLocked

    address = daemon_address(path)
    try:
        RepositoryLock.acquire(path, purpose="zwerm doctor").release()
    except RepositoryLocked as error:
        if address is None:
            return True, Finding("node", Verdict.ODD, f"the repository is in use by {error.holder}")
        from zwerm.cli.http_client import HttpClient

        if HttpClient(address).answers():
            return True, Finding("node", Verdict.GOOD, f"runs, and answers at {address}")
        return True, Finding(
            "node", Verdict.BAD, f"runs ({error.holder}) and does not answer at {address}", "start it again"
        )
    if address is not None:
        return False, Finding("node", Verdict.ODD, "ended without tidying up", "nothing to do: the next start does it")
    return False, Finding("node", Verdict.GOOD, "does not run; `zwerm up` starts it")


def _ports(config: Config) -> Iterator[Finding]:
    for key in _PORTS:
        address = config.address(key)
        if address is None or address.port == 0:
            continue
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address.host, address.port))
        except OSError as error:
            advice = f"zwerm up --port-offset 10, or zwerm config {key} HOST:PORT"
            yield Finding("port", Verdict.BAD, f"{address} for {key}: {error.strerror}", advice)
        else:
            yield Finding("port", Verdict.GOOD, f"{address} is free for {key}")


def _content(session: Session) -> Iterator[Finding]:
    try:
        numbers: dict[str, Any] = session.document("repo/stat", options={"detail": True})
    except DaemonUnreachable as error:
        yield Finding("content", Verdict.BAD, str(error))
        return
    except (ZwermError, OSError) as error:
        yield Finding("content", Verdict.BAD, str(error), "zwerm repo repair")
        return
    used, most = numbers["RepoSize"], numbers["StorageMax"]
    text = f"{numbers['NumObjects']} blocks, {human_size(used)}"
    if numbers["Limited"]:
        text += f" of {human_size(most)}"
    if numbers["Damaged"]:
        yield Finding("content", Verdict.BAD, f"{text}, {numbers['Damaged']} blocks damaged", "zwerm repo repair")
    elif numbers["Limited"] and used > most * 0.95:
        yield Finding("content", Verdict.BAD, f"{text}: nearly full", "zwerm repo gc, or a larger storage.max")
    elif numbers["DeadSize"] > max(used // 2, 100_000_000):
        yield Finding("content", Verdict.ODD, f"{text}, {human_size(numbers['DeadSize'])} unused", "zwerm repo gc")
    else:
        yield Finding("content", Verdict.GOOD, text)
