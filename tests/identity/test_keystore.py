"""Named keys in a folder: whole or not there, nobody else's to read, and never taken over by accident."""

import errno
import os
from pathlib import Path

import pytest

from zwerm.core.errors import LocalProtocolError, NotFoundError, StorageError, WireError
from zwerm.identity.key_message import KeyType
from zwerm.identity.keys import PrivateKey
from zwerm.identity.keystore import FORMATS, MAX_NAME, SELF, KeyExists, KeyNotFound, Keystore, load_key, save_key
from zwerm.identity.peer_id import PeerId

OWN = PrivateKey.generate()


@pytest.fixture
def keystore(tmp_path: Path) -> Keystore:
    return Keystore(tmp_path / "keystore", OWN)


def names(keystore: Keystore) -> list[str]:
    return [name for name, _ in keystore.entries()]


def test_a_new_keystore_knows_the_node_itself_and_writes_nothing(tmp_path: Path, keystore: Keystore) -> None:
    assert keystore.entries() == [(SELF, PeerId.of(OWN.public))]
    assert keystore.find(SELF) is OWN
    assert not (tmp_path / "keystore").exists()


def test_a_generated_key_is_found_again_by_another_process(tmp_path: Path, keystore: Keystore) -> None:
    key = keystore.generate("blog")
    again = Keystore(tmp_path / "keystore", OWN)
    assert again.find("blog").serialize() == key.serialize()
    assert again.entries()[1:] == [("blog", PeerId.of(key.public))]
    assert again.find_by_peer_id(PeerId.of(key.public)) is not None
    assert again.find_by_peer_id(PeerId.of(PrivateKey.generate().public)) is None


def test_keys_of_other_types_can_be_generated(keystore: Keystore) -> None:
    assert keystore.generate("old", KeyType.RSA).type is KeyType.RSA
    assert keystore.find("old").type is KeyType.RSA


def test_files_are_for_the_owner_only(tmp_path: Path, keystore: Keystore) -> None:
    keystore.generate("blog")
    folder = tmp_path / "keystore"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in folder.iterdir()] == [0o600]


def test_a_name_is_kept_in_base32_as_kubo_does(tmp_path: Path, keystore: Keystore) -> None:
    keystore.generate("Blog")
    assert [file.name for file in (tmp_path / "keystore").iterdir()] == ["key_ijwg6zy"]


def test_names_that_differ_in_case_are_two_keys(keystore: Keystore) -> None:
    keystore.generate("a")
    keystore.generate("A")
    assert names(keystore) == [SELF, "A", "a"]


def test_a_key_is_never_overwritten(keystore: Keystore) -> None:
    key = keystore.generate("blog")
    with pytest.raises(KeyExists, match="blog"):
        keystore.generate("blog")
    with pytest.raises(KeyExists):
        keystore.import_key("blog", PrivateKey.generate().serialize())
    assert keystore.find("blog").serialize() == key.serialize()


def test_rename_moves_and_keeps_what_is_there(keystore: Keystore) -> None:
    blog, site = keystore.generate("blog"), keystore.generate("site")
    with pytest.raises(KeyExists):
        keystore.rename("blog", "site")
    assert keystore.find("blog").serialize() == blog.serialize()
    assert keystore.find("site").serialize() == site.serialize()
    assert keystore.rename("blog", "weblog") is False
    assert names(keystore) == [SELF, "site", "weblog"]
    assert keystore.rename("weblog", "site", overwrite=True) is True
    assert names(keystore) == [SELF, "site"]
    assert keystore.find("site").serialize() == blog.serialize()
    assert keystore.rename("site", "site") is False
    assert keystore.rename("site", "again", overwrite=True) is False
    assert names(keystore) == [SELF, "again"]


def test_a_removed_key_is_gone(keystore: Keystore) -> None:
    key = keystore.generate("blog")
    assert keystore.remove("blog") == PeerId.of(key.public)
    assert names(keystore) == [SELF]
    with pytest.raises(KeyNotFound, match="blog"):
        keystore.remove("blog")


def test_an_unknown_name_is_not_found(keystore: Keystore) -> None:
    for call in (keystore.find, keystore.remove, keystore.export_key, lambda name: keystore.rename(name, "other")):
        with pytest.raises(NotFoundError):
            call("nobody")


@pytest.mark.parametrize("file_format", FORMATS)
def test_an_exported_key_is_imported_again(keystore: Keystore, file_format: str) -> None:
    key = keystore.generate("blog")
    data = keystore.export_key("blog", file_format)
    assert keystore.import_key("copy", data, file_format).serialize() == key.serialize()
    assert keystore.find("copy").serialize() == key.serialize()


def test_the_own_key_is_exported_and_otherwise_left_alone(keystore: Keystore) -> None:
    assert keystore.export_key(SELF) == OWN.serialize()
    keystore.generate("blog")
    for change in (
        lambda: keystore.generate(SELF),
        lambda: keystore.import_key(SELF, OWN.serialize()),
        lambda: keystore.remove(SELF),
        lambda: keystore.rename(SELF, "other"),
        lambda: keystore.rename("blog", SELF, overwrite=True),
    ):
        with pytest.raises(LocalProtocolError, match="own key"):
            change()


@pytest.mark.parametrize("data", [b"", b"\x08\x01", b"x" * 20_000])
@pytest.mark.parametrize("file_format", FORMATS)
def test_a_file_that_is_no_key_is_not_imported(keystore: Keystore, data: bytes, file_format: str) -> None:
    with pytest.raises(WireError):
        keystore.import_key("blog", data, file_format)
    assert names(keystore) == [SELF]


def test_an_unknown_format_is_named(keystore: Keystore) -> None:
    with pytest.raises(LocalProtocolError, match="pem-pkcs8-cleartext"):
        keystore.export_key(SELF, "jwk")


@pytest.mark.parametrize("name", ["", "a/b", "a\0b", "a\nb", " a", "a ", "\ud800", "x" * (MAX_NAME + 1)])
def test_a_name_that_cannot_be_shown_or_stored_is_refused(keystore: Keystore, name: str) -> None:
    for call in (keystore.generate, keystore.find, keystore.remove):
        with pytest.raises(LocalProtocolError):
            call(name)


@pytest.mark.parametrize("name", ["..", ".", "-rf", "你好", "x" * MAX_NAME, "key_a", "with space"])
def test_any_other_name_will_do(keystore: Keystore, name: str) -> None:
    keystore.generate(name)
    assert names(keystore) == [SELF, name]


def test_a_strangers_file_is_not_a_key(tmp_path: Path, keystore: Keystore) -> None:
    keystore.generate("blog")
    # No key at all; no base32; no UTF-8; bits left over; a name that no key may have; the node's own.
    for name in ("README", ".1234.tmp", "key_!!", "key_77777777", "key_mfr", "key_bi", "key_onswyzq"):
        (tmp_path / "keystore" / name).write_bytes(b"")
    assert names(keystore) == [SELF, "blog"]


def test_a_damaged_file_is_named(tmp_path: Path, keystore: Keystore) -> None:
    keystore.generate("blog")
    (file,) = (tmp_path / "keystore").iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(StorageError, match=file.name):
        keystore.find("blog")


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, keystore: Keystore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "disk")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="the disk is full"):
            keystore.generate("blog")
    assert list((tmp_path / "keystore").iterdir()) == []


def test_the_key_and_its_folders_are_on_the_disk_when_the_call_returns(
    keystore: Keystore, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: steps.append(f"sync {os.fstat(descriptor).st_mode >> 12:o}"))
    link = os.link
    monkeypatch.setattr(os, "link", lambda *names: (steps.append("link"), link(*names)))
    keystore.generate("first")
    assert steps == ["sync 4", "sync 10", "link", "sync 4"]  # the new folder's name, a file, the file's name
    steps.clear()
    keystore.generate("blog")
    assert steps == ["sync 10", "link", "sync 4"]


def test_a_key_file_stands_alone_too(tmp_path: Path) -> None:
    path = tmp_path / "key"
    save_key(path, OWN)
    assert load_key(path).serialize() == OWN.serialize()
    with pytest.raises(FileExistsError):
        save_key(path, OWN)
    with pytest.raises(FileNotFoundError):
        load_key(tmp_path / "nothing")
    assert [file.name for file in tmp_path.iterdir()] == ["key"]
