"""The repository: one directory that holds a node's identity, configuration and content.

    version       one number; written last, so its presence means that creation was finished
    config.toml   what somebody configured            key         the node's private key, 0600
    keystore/     further named keys                  blocks/     pack files
    index.sqlite  index, pins, files, history heads   repo.lock   held while open    api   where the daemon listens
    reserve       room for making room on a full disk

Opening creates what is missing, so a creation that was cut off heals at the next start. What is somebody else's (a Kubo
repository, a directory with other files in it, a repository of a later release) is recognised before the first byte is
written.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from zwerm.core.disk_failure import disk_error
from zwerm.core.errors import StorageError, WireError
from zwerm.identity import key_message
from zwerm.identity.key_message import KeyType
from zwerm.node.atomic import sync_directory, write_atomically
from zwerm.node.config import Config, profile_from_environment
from zwerm.node.lock import LOCK_NAME, RepositoryLock
from zwerm.node.migrations import VERSION, VERSION_NAME, NewerRepository, migrate, read_version
from zwerm.node.reserve import RESERVE_NAME, Reserve

if TYPE_CHECKING:
    from zwerm.identity.keys import PrivateKey
    from zwerm.identity.keystore import Keystore
    from zwerm.identity.peer_id import PeerId

API_NAME: Final = "api"
GATEWAY_NAME: Final = "gateway"

_CONFIG_NAME: Final = "config.toml"
_KEY_NAME: Final = "key"
_KEYSTORE_NAME: Final = "keystore"
_BLOCKS_NAME: Final = "blocks"
_INDEX_NAME: Final = "index.sqlite"
_OURS: Final = (
    frozenset((VERSION_NAME, _CONFIG_NAME, _KEY_NAME, _KEYSTORE_NAME, _BLOCKS_NAME, LOCK_NAME))
    | frozenset((API_NAME, GATEWAY_NAME, RESERVE_NAME))
    | frozenset(_INDEX_NAME + suffix for suffix in ("", "-wal", "-shm", "-journal"))
)


class ForeignRepository(StorageError):
    """The directory belongs to another program; it was not touched."""


def default_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Return `$ZWERM_PATH`, or `~/.zwerm`."""
    return Path(environment.get("ZWERM_PATH") or "~/.zwerm").expanduser()


def is_kubo_repository(path: Path) -> bool:
    """Whether Kubo (`ipfs init`) made this directory: a `datastore_spec`, or a JSON `config` with an identity."""
    if (path / "datastore_spec").exists():
        return True
    try:
        data = (path / "config").read_bytes()[:1_000_000]
    except OSError:
        return False
    import json

    try:
        document = json.loads(data)
    except ValueError:
        return False
    return isinstance(document, dict) and "Identity" in document


class Repository:
    """An open repository; no other process has it open. Close it, or use it as a context manager."""

    def __init__(self, path: Path, lock: RepositoryLock, config: Config) -> None:
        """Join what `open` prepared; call that."""
        self.path = path
        self.config = config
        self.reserve = Reserve(path / RESERVE_NAME)
        self._lock = lock

    @classmethod
    def open(
        cls,
        path: Path | str | None = None,
        *,
        profile: str | None = None,
        overrides: Mapping[str, Any] | None = None,
        port_offset: int = 0,
        purpose: str = "zwerm",
        patience: float = 0.0,
    ) -> Self:
        """Open the repository, creating it (mode 0700) when there is none.

        Args:
            path: None: `$ZWERM_PATH` or `~/.zwerm`.
            profile: defaults for this run, remembered when the repository is created; None: `$ZWERM_PROFILE`.
            overrides: configuration values for this run, by dotted key.
            port_offset: see `Config`.
            purpose: what this process is, for the message that others get.
            patience: seconds to wait for another process to close it.

        Raises:
            ForeignRepository: the directory is not ours.
            NewerRepository: made by a later release.
            RepositoryLocked: open in another process.
            SettingError: the configuration cannot be.
            StorageError: the disk refuses, or what lies there is damaged.
        """
        where = default_path() if path is None else Path(path).expanduser()
        profile = profile or profile_from_environment()
        with _disk_errors(where):
            where = where.absolute()
            _refuse_foreign(where)
            where.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = RepositoryLock.acquire(where, purpose=purpose, patience=patience)
            try:
                found = read_version(where)
                if found is None:
                    _create(where, profile)
                else:
                    migrate(where, found)
                    _heal(where)
                config = Config(where / _CONFIG_NAME, profile=profile, overrides=overrides, port_offset=port_offset)
                _check_key(where)
            except BaseException:
                lock.release()
                raise
        return cls(where, lock, config)

    @functools.cached_property
    def key(self) -> PrivateKey:
        """Who this node is. Read when it is first asked for: most commands need nobody's signature.

        Raises:
            StorageError: what lies in its file is no key.
        """
        from zwerm.identity.keys import PrivateKey

        try:
            return PrivateKey.parse(_key_data(self.path))
        except WireError as error:
            raise _damaged_key(self.path, error) from None

    @functools.cached_property
    def identity(self) -> PeerId:
        """The public half of `key`; raises as that."""
        from zwerm.identity.peer_id import PeerId

        return PeerId.of(self.key.public)

    @property
    def blocks_path(self) -> Path:
        return self.path / _BLOCKS_NAME

    @property
    def index_path(self) -> Path:
        return self.path / _INDEX_NAME

    @property
    def api_path(self) -> Path:
        """The file in which a running daemon leaves the multiaddr of its RPC."""
        return self.path / API_NAME

    @property
    def gateway_path(self) -> Path:
        """The file in which a running daemon leaves the address of its gateway."""
        return self.path / GATEWAY_NAME

    def keystore(self) -> Keystore:
        from zwerm.identity.keystore import Keystore

        return Keystore(self.path / _KEYSTORE_NAME, self.key)

    def rotate_key(self, kept_as: str, key_type: KeyType = KeyType.ED25519) -> PeerId:
        """Give the node a new identity, and keep the key it had under a name; return who it is from now on.

        For a repository that nothing else works on. Power loss leaves the old identity or the new one.

        Raises:
            KeyExists: a key is kept under that name already; nothing was changed.
        """
        from zwerm.identity.keys import PrivateKey
        from zwerm.identity.peer_id import PeerId

        with _disk_errors(self.path):
            new = PrivateKey.generate(key_type)
            self.keystore().add(kept_as, self.key)
            write_atomically(self.path / _KEY_NAME, new.serialize(), mode=0o600)
        self.key, self.identity = new, PeerId.of(new.public)
        return self.identity

    def close(self) -> None:
        """Let another process open it. Idempotent."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _refuse_foreign(path: Path) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise ForeignRepository(f"{path} is a file, expected a directory for the repository")
    if is_kubo_repository(path):
        raise ForeignRepository(
            f"{path} is a repository of Kubo (ipfs); it was left alone. Set ZWERM_PATH to another directory"
        )
    version = read_version(path)
    if version is not None:
        if version > VERSION:
            raise NewerRepository(path, version, VERSION)
        return
    others = sorted(
        entry.name for entry in path.iterdir() if entry.name not in _OURS and not entry.name.endswith(".tmp")
    )
    if others:
        raise ForeignRepository(
            f"{path} is no repository and not empty ({others[0]} lies there); choose another directory"
        )


def _create(path: Path, profile: str | None) -> None:
    """Make everything, `version` last; what an earlier attempt finished is kept."""
    path.chmod(0o700)
    for name in (_KEYSTORE_NAME, _BLOCKS_NAME):
        (path / name).mkdir(mode=0o700, exist_ok=True)
    if not (path / _KEY_NAME).exists():
        from zwerm.identity.keys import PrivateKey

        write_atomically(path / _KEY_NAME, PrivateKey.generate().serialize(), mode=0o600)
    if not (path / _CONFIG_NAME).exists():
        Config.create(path / _CONFIG_NAME, profile=profile)
    write_atomically(path / VERSION_NAME, b"%d\n" % VERSION, mode=0o600)
    sync_directory(path.parent)


def _heal(path: Path) -> None:
    """Make again what can be made again; the key cannot, and its absence is reported by `_check_key`."""
    for name in (_KEYSTORE_NAME, _BLOCKS_NAME):
        (path / name).mkdir(mode=0o700, exist_ok=True)
    for left_over in path.glob(".*.tmp"):
        left_over.unlink(missing_ok=True)
    if not (path / _CONFIG_NAME).exists():
        Config.create(path / _CONFIG_NAME)


def _check_key(path: Path) -> None:
    """Raise a StorageError when the file of the key is missing or holds no key message."""
    try:
        key_message.parse(_key_data(path))
    except WireError as error:
        raise _damaged_key(path, error) from None


def _key_data(path: Path) -> bytes:
    try:
        return (path / _KEY_NAME).read_bytes()
    except FileNotFoundError:
        raise StorageError(f"{path / _KEY_NAME} is missing: without it this node is nobody; restore it") from None


def _damaged_key(path: Path, error: WireError) -> StorageError:
    return StorageError(f"{path / _KEY_NAME} is damaged ({error}); restore it")


@contextlib.contextmanager
def _disk_errors(path: Path) -> Any:
    try:
        yield
    except OSError as error:
        raise disk_error(f"open repository {path}", error) from error
