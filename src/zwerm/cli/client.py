"""Who carries a command out: the daemon when one answers, otherwise the repository in this process.

Both clients take the same call and give the same answer, so a command never knows which one it has.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from zwerm.daemon.rpc.errors import CommandError, ErrorCode

if TYPE_CHECKING:
    from zwerm.cli.session import Settings
    from zwerm.daemon.rpc.body import DiskBody, StreamBody
    from zwerm.daemon.rpc.registry import Command


class Answer(Protocol):
    """What a command gave: documents or bytes, each read once and in order."""

    raw: bool  # bytes, not documents
    length: int | None  # bytes of the whole raw answer, when known

    def items(self) -> Iterator[Any]:
        """Yield the documents; a CommandError or another ZwermError when the command fails on the way."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """Yield raw bytes; errors as `items`."""
        ...

    def close(self) -> None:
        """Stop the command if it still runs."""
        ...


class Client(Protocol):
    """A way to run commands."""

    is_local: bool  # whether the repository is open in this process

    def call(
        self,
        command: Command,
        arguments: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
        body: DiskBody | StreamBody | None = None,
    ) -> Answer: ...

    def close(self) -> None: ...


class RemoteError(CommandError):
    """The daemon said that the command failed."""


class DaemonUnreachable(CommandError):
    """No daemon answers at the address."""


class AnswerCutShort(CommandError):
    """The daemon went away in the middle of an answer."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"the daemon broke the answer off ({detail}); is it still running?", ErrorCode.NORMAL)


def connect(settings: Settings) -> Client:
    """Return a client for the daemon of the repository if one answers, else for the repository itself.

    Raises:
        DaemonUnreachable: a daemon was named with --api and does not answer.
    """
    if settings.api and settings.api != "none":
        return _http(settings.api, settings.api_auth, required=True)
    if settings.api != "none":
        address = daemon_address(settings.repository)
        if address is not None:
            try:
                return _http(address, settings.api_auth or _own_token(settings.repository), required=False)
            except DaemonUnreachable:
                pass  # left behind by a daemon that was killed; the repository's lock decides from here
    from zwerm.cli.local_client import LocalClient

    return LocalClient(settings)


def daemon_address(repository: Path) -> str | None:
    """Return what the repository's `api` file says, without asking whether it is still true."""
    try:
        return (repository / "api").read_text("utf-8").strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return None


def _own_token(repository: Path) -> str | None:
    """Return the secret that the repository's own daemon asks for: who can read its settings may use it."""
    try:
        text = (repository / "config.toml").read_text("utf-8")
    except OSError:
        return None
    if "token" not in text:
        return None
    import tomllib

    try:
        token = tomllib.loads(text).get("api", {}).get("token")
    except (tomllib.TOMLDecodeError, AttributeError):
        return None  # the daemon, or the repository when it is opened, says what is wrong with it
    return token if isinstance(token, str) else None


def _http(address: str, token: str | None, *, required: bool) -> Client:
    from zwerm.cli.http_client import HttpClient

    client = HttpClient(address, token=token)
    if not client.answers():
        hint = "start one with `zwerm up`" if required else ""
        raise DaemonUnreachable(f"no daemon answers at {address}; {hint}")
    return client


def repository_path(program: str, given: str | None = None) -> Path:
    """The repository's folder: --repo, else $ZWERM_PATH (as `ipfs`: $IPFS_PATH), else the one in the home folder."""
    if given:
        return Path(given).expanduser()
    if program == "ipfs" and (path := os.environ.get("IPFS_PATH")):
        return Path(path).expanduser()
    if path := os.environ.get("ZWERM_PATH"):
        return Path(path).expanduser()
    return Path.home() / ".zwerm"
