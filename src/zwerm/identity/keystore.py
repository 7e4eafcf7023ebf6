"""A folder of named private keys, one file each, mode 0600.

`self` is the node's own key: it is kept elsewhere, can be looked up and exported here, and cannot be made, renamed,
overwritten or removed. File names are `key_` and the name in base32, as Kubo's, so that any name fits any file system.
Every change is durable when the call returns; no crash leaves half a key.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from zwerm.core.disk_failure import disk_error
from zwerm.core.errors import LocalProtocolError, NotFoundError, StorageError, WireError
from zwerm.identity.key_message import KeyType
from zwerm.identity.keys import MAX_KEY, PrivateKey
from zwerm.identity.peer_id import PeerId

SELF: Final = "self"
MAX_NAME: Final = 128  # bytes of UTF-8; in base32 the longest still fits a file name of 255

_FILE_PREFIX: Final = "key_"
_MAX_PEM: Final = 16_384  # bytes; an RSA key of 8,192 bits takes 6,400

FORMATS: Final[dict[str, tuple[Callable[[PrivateKey], bytes], Callable[[bytes], PrivateKey]]]] = {
    "libp2p-protobuf-cleartext": (PrivateKey.serialize, PrivateKey.parse),
    "pem-pkcs8-cleartext": (PrivateKey.to_pem, PrivateKey.from_pem),
}
DEFAULT_FORMAT: Final = "libp2p-protobuf-cleartext"


class KeyNotFound(NotFoundError):
    """No key has that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no key named {name!r}")


class KeyExists(LocalProtocolError):
    """A key has that name already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"a key named {name!r} exists already")


class NamedKey(NamedTuple):
    """One line of a listing."""

    name: str
    peer_id: PeerId


class Keystore:
    """The keys of one node. Calls touch the disk; the folder is made on the first write."""

    def __init__(self, folder: Path, own_key: PrivateKey) -> None:
        self._folder = folder
        self._own_key = own_key

    def generate(self, name: str, key_type: KeyType = KeyType.ED25519) -> PrivateKey:
        """Make a key and keep it.

        Raises:
            KeyExists: nothing was changed.
        """
        key = PrivateKey.generate(key_type)
        self.add(name, key)
        return key

    def add(self, name: str, key: PrivateKey) -> None:
        """Keep a key of the caller's; errors as `generate`."""
        path = self._path(_own(name))
        with _storage_errors(f"make {self._folder}"):
            if not self._folder.is_dir():
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _sync_folder(self._folder.parent)
        try:
            save_key(path, key)
        except FileExistsError:
            raise KeyExists(name) from None

    def find(self, name: str) -> PrivateKey:
        """Return the key of that name.

        Raises:
            KeyNotFound: there is none.
            StorageError: its file cannot be read, or holds no key.
        """
        if name == SELF:
            return self._own_key
        try:
            return load_key(self._path(name))
        except FileNotFoundError:
            raise KeyNotFound(name) from None

    def find_by_peer_id(self, peer_id: PeerId) -> PrivateKey | None:
        """Return the key whose holder `peer_id` names, or None."""
        return next((self.find(name) for name, held in self.entries() if held == peer_id), None)

    def entries(self) -> list[NamedKey]:
        """Every key with its peer ID: `self`, then the others by name."""
        keys = [NamedKey(SELF, PeerId.of(self._own_key.public))]
        keys += (NamedKey(name, PeerId.of(self.find(name).public)) for name in sorted(self._names()))
        return keys

    def rename(self, old: str, new: str, *, overwrite: bool = False) -> bool:
        """Give a key another name; return whether that took the place of another key.

        Power loss may leave the key under both names, never under neither.

        Raises:
            KeyNotFound: there is no key `old`.
            KeyExists: there is a key `new`, and not `overwrite`. Nothing was changed.
        """
        source, target = self._path(_own(old)), self._path(_own(new))
        if old == new:
            self.find(old)
            return False
        replaced = target.exists()
        with _storage_errors(f"rename key {old!r}"):
            try:
                if overwrite:
                    os.replace(source, target)
                else:
                    os.link(source, target)
            except FileNotFoundError:
                raise KeyNotFound(old) from None
            except FileExistsError:
                raise KeyExists(new) from None
            source.unlink(missing_ok=True)
            _sync_folder(self._folder)
        return replaced

    def remove(self, name: str) -> PeerId:
        """Forget a key, for ever; return whose it was. KeyNotFound when there is none."""
        peer_id = PeerId.of(self.find(_own(name)).public)
        with _storage_errors(f"remove key {name!r}"):
            self._path(name).unlink(missing_ok=True)
            _sync_folder(self._folder)
        return peer_id

    def export_key(self, name: str, file_format: str = DEFAULT_FORMAT) -> bytes:
        """Return a key as the bytes of a file in one of `FORMATS`: secret, unencrypted."""
        return _format(file_format)[0](self.find(name))

    def import_key(self, name: str, data: bytes, file_format: str = DEFAULT_FORMAT) -> PrivateKey:
        """Keep a key that was exported, here or by Kubo.

        Raises:
            KeyExists: nothing was changed.
            WireError: `data` is not a key in that format.
        """
        _own(name)
        if len(data) > _MAX_PEM:
            raise WireError(f"key file of {len(data)} bytes, expected at most {_MAX_PEM}")
        key = _format(file_format)[1](data)
        self.add(name, key)
        return key

    def _path(self, name: str) -> Path:
        encoded = _checked(name).encode()
        return self._folder / (_FILE_PREFIX + base64.b32encode(encoded).decode().rstrip("=").lower())

    def _names(self) -> Iterator[str]:
        if not self._folder.is_dir():
            return
        with _storage_errors(f"list {self._folder}"):
            names = [entry.name for entry in os.scandir(self._folder)]
        for file_name in names:
            text = file_name.removeprefix(_FILE_PREFIX).upper()
            # A file somebody else put here is not a key and not an error.
            with contextlib.suppress(binascii.Error, UnicodeDecodeError, LocalProtocolError):
                name = base64.b32decode(text + "=" * (-len(text) % 8)).decode()
                if name != SELF and self._path(name).name == file_name:
                    yield name


def save_key(path: Path, key: PrivateKey) -> None:
    """Write a key to a new file of mode 0600, durably; whole or not at all.

    Raises:
        FileExistsError: there is a file already; it was not touched.
        StorageError: the disk failed.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    with _storage_errors(f"write key file {path}"):
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(key.serialize())
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, path)  # unlike a rename, this never takes the place of another key
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)


def load_key(path: Path) -> PrivateKey:
    """Read a key that `save_key` wrote.

    Raises:
        FileNotFoundError: there is none.
        StorageError: it cannot be read, or holds no key.
    """
    with _storage_errors(f"read key file {path}"):
        with path.open("rb") as file:
            data = file.read(MAX_KEY + 1)
        try:
            return PrivateKey.parse(data)
        except WireError as error:
            raise StorageError(f"{path} does not hold a private key: {error}") from None


def _checked(name: str) -> str:
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise LocalProtocolError(f"key name {name!r} is not Unicode text") from None
    if not 1 <= size <= MAX_NAME:
        raise LocalProtocolError(f"key name of {size} bytes, expected 1 to {MAX_NAME}")
    if not name.isprintable() or "/" in name or name != name.strip():
        raise LocalProtocolError(f"key name {name!r}, expected printable text without '/' and outer spaces")
    return name


def _own(name: str) -> str:
    if name == SELF:
        raise LocalProtocolError(f"{SELF!r} is the node's own key; it cannot be made, renamed or removed here")
    return _checked(name)


def _format(name: str) -> tuple[Callable[[PrivateKey], bytes], Callable[[bytes], PrivateKey]]:
    if name not in FORMATS:
        raise LocalProtocolError(f"key format {name!r}, expected {' or '.join(FORMATS)}")
    return FORMATS[name]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _storage_errors(action: str) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError as error:
        raise disk_error(action, error) from error
