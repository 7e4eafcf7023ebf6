"""From the disk: what is taken, what is left out, and what is said of what cannot be read."""

from __future__ import annotations

import dataclasses
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ipfs.unixfs.blocks import Blocks, run
from zwerm.core.errors import ResourceLimitError, StorageError
from zwerm.ipfs.unixfs import directory
from zwerm.ipfs.unixfs.builder import FileBuilder, NoStore
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.entry import Entry, Kind
from zwerm.ipfs.unixfs.errors import FileChanged, ImportFailed
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.ipfs.unixfs.ignore import GitIgnore
from zwerm.ipfs.unixfs.importer import Follow, Importer
from zwerm.ipfs.unixfs.profile import DEFAULT, PROFILES, Layout, Profile
from zwerm.ipfs.unixfs.reader import Stat, open_file, stat
from zwerm.multiformats.cid import CID

Tree = dict[str, "Tree | bytes | str"]  # folders, files, and the targets of symlinks


async def tree(blocks: Blocks, cid: CID) -> Tree | bytes | str:
    """Read back what was added."""
    found = await stat(blocks, cid)
    if found.kind is Kind.FILE:
        return await (await open_file(blocks, cid)).read()
    if found.kind is Kind.SYMLINK:
        return f"-> {found.target}"
    return {entry.name: await tree(blocks, entry.cid) async for entry in directory.entries(blocks, cid)}


def added(path: Path, profile: Profile = DEFAULT, **options: object) -> Tree | bytes | str:
    blocks = Blocks()
    return run(tree(blocks, Importer(blocks, profile).add_path(path, **options).cid))  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    (root / "inner" / "deep").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / ".hidden").mkdir()
    (root / ".hidden" / "file").write_bytes(b"hidden")
    (root / "inner" / ".dot").write_bytes(b"dot")
    (root / "inner" / "deep" / "file").write_bytes(b"deep")
    (root / "file").write_bytes(b"file")
    (root / "link").symlink_to("inner/deep")
    (root / "dangling").symlink_to("nowhere")
    return root


def test_a_folder_is_taken_with_all_that_is_in_it(folder: Path) -> None:
    assert added(folder, hidden=True) == {
        "inner": {"deep": {"file": b"deep"}, ".dot": b"dot"},
        "empty": {},
        ".hidden": {"file": b"hidden"},
        "file": b"file",
        "link": "-> inner/deep",
        "dangling": "-> nowhere",
    }


def test_hidden_names_are_left_out_unless_asked_for(folder: Path) -> None:
    assert added(folder) == {
        "inner": {"deep": {"file": b"deep"}},
        "empty": {},
        "file": b"file",
        "link": "-> inner/deep",
        "dangling": "-> nowhere",
    }


def test_the_path_that_is_given_may_be_hidden(folder: Path) -> None:
    assert added(folder / ".hidden") == {"file": b"hidden"}
    assert added(folder / ".hidden" / "file") == b"hidden"


def test_ignore_rules_leave_out_names_and_all_that_is_in_them(folder: Path) -> None:
    assert added(folder, ignore=GitIgnore(["deep/", "link", "# a comment", "", "/file", "dang*", "!dangling"])) == {
        "inner": {},
        "empty": {},
        "dangling": "-> nowhere",
    }


def test_symlinks_are_added_or_followed_as_asked(folder: Path) -> None:
    assert added(folder / "link") == "-> inner/deep"
    assert added(folder / "link", follow=Follow.ARGUMENT) == {"file": b"deep"}
    (folder / "dangling").unlink()
    found = added(folder, follow=Follow.EVERYTHING)
    assert isinstance(found, dict)
    assert found["link"] == {"file": b"deep"}


def test_a_symlink_to_nowhere_cannot_be_followed(folder: Path) -> None:
    with pytest.raises(ImportFailed, match=r"cannot add .*dangling: no such file"):
        added(folder, follow=Follow.EVERYTHING)
    with pytest.raises(ImportFailed, match=r"cannot add .*dangling: no such file"):
        added(folder / "dangling", follow=Follow.ARGUMENT)


def test_a_loop_of_symlinks_is_harmless_as_links_and_refused_when_followed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "up").symlink_to("..")
    (tmp_path / "round").symlink_to("round")
    assert added(tmp_path) == {"a": {"up": "-> .."}, "round": "-> round"}
    (tmp_path / "round").unlink()
    with pytest.raises(ImportFailed, match="a/up is a symlink to a folder that it lies in"):
        added(tmp_path, follow=Follow.EVERYTHING)


def test_a_folder_is_refused_when_only_files_are_wanted(folder: Path) -> None:
    with pytest.raises(ImportFailed, match="is a folder; add it recursively"):
        added(folder, recursive=False)
    assert added(folder / "file", recursive=False) == b"file"


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match=r"cannot add .*/missing: no such file or directory"):
        added(tmp_path / "missing")
    assert issubclass(ImportFailed, StorageError)


@pytest.mark.parametrize("kind", ["a named pipe", "a socket"])
def test_special_files_are_refused_by_name_and_kind(tmp_path: Path, kind: str) -> None:
    special = tmp_path / "special"
    with socket.socket(socket.AF_UNIX) as listener:
        if kind == "a socket":
            listener.bind(str(special))
        else:
            os.mkfifo(special)
        for path in (tmp_path, special):
            with pytest.raises(ImportFailed, match=f"cannot add .*/special: it is {kind}; only files"):
                added(path)


def test_a_device_is_refused() -> None:
    with pytest.raises(ImportFailed, match=r"cannot add /dev/null: it is a device"):
        added(Path("/dev/null"))


def test_what_may_not_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may run as root, who may read everything."""
    really = os.open

    def refuse(path: str, *arguments: int, dir_fd: int | None = None) -> int:
        if path.endswith("deep") or path == "file":
            raise PermissionError(13, "Permission denied")
        return really(path, *arguments, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ImportFailed, match=r"cannot add .*/folder/file: permission denied"):
        added(folder)
    (folder / "file").unlink()
    with pytest.raises(ImportFailed, match=r"cannot add .*/folder/inner/deep: permission denied"):
        added(folder)


class Meddler(Blocks):
    """Changes a file whenever blocks are put, so many times."""

    def __init__(self, path: Path, times: int) -> None:
        super().__init__()
        self.path, self.times = path, times

    def put(self, blocks: object) -> None:
        super().put(blocks)  # type: ignore[arg-type]
        if self.times:
            self.times -= 1
            with self.path.open("ab") as file:
                file.write(b"more")


BUILT_IN_PARTS = Profile(chunker="size-1000")


def test_a_file_that_changes_once_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(6 * 1024 * 1024))
    blocks = Meddler(path, 1)
    entry = Importer(blocks, BUILT_IN_PARTS).add_path(path)
    assert run(tree(blocks, entry.cid)) == path.read_bytes()


def test_a_file_that_never_rests_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(6 * 1024 * 1024))
    for where in (path, tmp_path):
        with pytest.raises(FileChanged, match=r"cannot add .*/file: it changed each time it was read"):
            Importer(Meddler(path, -1), BUILT_IN_PARTS).add_path(where)


def test_a_small_file_that_is_cut_while_it_is_read_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"whole")
    really = os.read

    def cut(descriptor: int, size: int) -> bytes:
        path.write_bytes(path.read_bytes()[:-1])
        return really(descriptor, size)

    monkeypatch.setattr(os, "read", cut)
    with pytest.raises(FileChanged, match="it changed each time"):
        added(path)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Files of a few mebibytes, which hashing threads read whole."""
    root = tmp_path / "album"
    root.mkdir()
    for number in range(12):
        (root / f"{number}").write_bytes(os.urandom(100_000 * (number + 1)))
    return root


@pytest.mark.parametrize(
    "profile", [*PROFILES.values(), Profile(layout=Layout.TRICKLE), Profile(chunker="rabin"), Profile(keep_mtime=True)]
)
def test_files_that_threads_read_are_those_that_are_read_here(album: Path, profile: Profile) -> None:
    blocks, counted = Blocks(), []
    with Hashers() as hashers:
        importer = Importer(blocks, profile, hashers=hashers, progress=lambda *report: counted.append(report))
        entry = importer.add_path(album)
    expected = Blocks()
    assert entry == Importer(expected, profile).add_path(album)
    assert blocks.data == expected.data
    assert counted[-1] == (100_000 * 78, 12)


def test_a_file_that_changes_while_a_thread_reads_it_is_read_again(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = iter([b"first", b"second"])
    really = os.pread

    def meddle(descriptor: int, size: int, offset: int) -> bytes:
        if (change := next(changes, None)) is not None:
            with (album / "0").open("ab") as file:
                file.write(change)
        return really(descriptor, size, offset)

    for number in range(1, 12):
        (album / f"{number}").unlink()
    (album / "0").write_bytes(os.urandom(1_000_000))
    monkeypatch.setattr(os, "pread", meddle)
    blocks = Blocks()
    with Hashers() as hashers:
        entry = Importer(blocks, Profile(chunker="size-600000"), hashers=hashers).add_path(album)
    assert run(tree(blocks, entry.cid)) == {"0": (album / "0").read_bytes()}


@pytest.mark.parametrize("reason", ["a thread cannot read", "the store is full"])
def test_what_goes_wrong_leaves_no_descriptor_open(album: Path, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    descriptors = len(os.listdir("/proc/self/fd"))
    with Hashers() as hashers:
        if reason == "the store is full":
            with pytest.raises(ResourceLimitError):
                Importer(Quota(), hashers=hashers).add_path(album)
        else:
            monkeypatch.setattr(os, "pread", fail)
            with pytest.raises(ImportFailed, match=r"cannot add .*/album/\d+: input/output error"):
                Importer(NoStore(), hashers=hashers).add_path(album)
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_a_file_whose_size_is_known_only_by_reading_is_read(tmp_path: Path) -> None:
    """Below /proc everything has size 0."""
    found = added(Path("/proc/self/cmdline"))
    assert isinstance(found, bytes)
    assert b"python" in found or b"pytest" in found


@pytest.mark.parametrize("profile", [*PROFILES.values(), Profile(layout=Layout.TRICKLE), Profile(chunker="buzhash")])
@pytest.mark.parametrize("size", [0, 1, 131_072, 262_144, 262_145, 1_100_000])
def test_a_file_is_what_the_builder_makes_of_its_bytes(tmp_path: Path, profile: Profile, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    builder = FileBuilder(NoStore(), profile)
    builder.write(data)
    expected = builder.finish()
    with Hashers() as hashers:
        assert Importer(NoStore(), profile, hashers=hashers).add_path(tmp_path / "file") == expected
        assert Importer(NoStore(), profile, hashers=hashers).add_file([data]) == expected


def test_metadata_is_kept_when_the_profile_says_so(folder: Path) -> None:
    os.chmod(folder / "file", 0o4751)
    for path in (folder / "file", folder, folder / "dangling"):
        os.utime(path, ns=(0, 1_234_567_890_123_456_789), follow_symlinks=False)
    os.chmod(folder, 0o700)
    profile = dataclasses.replace(DEFAULT, keep_mode=True, keep_mtime=True)
    blocks = Blocks()
    root = Importer(blocks, profile).add_path(folder)

    async def check() -> None:
        mtime = Mtime(1_234_567_890, 123_456_789)
        found: dict[str, Stat] = {}
        async for entry in directory.entries(blocks, root.cid):
            found[entry.name] = await stat(blocks, entry.cid)
        assert (found["file"].mode, found["file"].mtime) == (0o4751, mtime)
        assert (found["dangling"].mode, found["dangling"].mtime) == (None, mtime)
        described = await stat(blocks, root.cid)
        assert (described.mode, described.mtime) == (0o700, mtime)
        assert (root.mode, root.mtime) == (0o700, mtime)

    run(check())


def test_names_that_are_not_utf8_survive(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe name")
    (tmp_path / name).write_bytes(b"x")
    assert added(tmp_path) == {name: b"x"}


@pytest.fixture
def bottomless(tmp_path: Path) -> Iterator[Path]:
    """Folders inside each other, more than `shutil.rmtree` and so pytest could remove."""
    path = tmp_path / "bottomless"
    path.mkdir()
    inside = path
    for _ in range(1100):
        inside = inside / "d"
        inside.mkdir()
    (inside / "file").write_bytes(b"x")
    yield path
    (inside / "file").unlink()
    while inside != tmp_path:
        inside.rmdir()
        inside = inside.parent


def test_folders_may_lie_deeper_than_python_recurses(bottomless: Path) -> None:
    blocks = Blocks()
    entry = Importer(blocks).add_path(bottomless)
    assert len(blocks.data) == 1102
    assert entry.total_size == sum(map(len, blocks.data.values()))


def test_progress_counts_every_byte_and_file(folder: Path) -> None:
    (folder / "large").write_bytes(bytes(5_000_000))
    for number in range(200):
        (folder / "inner" / f"{number}").write_bytes(b"12")
    reports: list[tuple[int, int]] = []
    with Hashers() as hashers:
        Importer(NoStore(), hashers=hashers, progress=lambda *report: reports.append(report)).add_path(folder)
    assert reports[-1] == (5_000_000 + 400 + 8, 205)
    assert len(reports) >= 5
    assert sorted(reports) == reports


def test_every_entry_is_reported_with_its_path(folder: Path) -> None:
    found: dict[str, Entry] = {}
    root = Importer(NoStore(), on_entry=found.__setitem__).add_path(folder)
    assert sorted(found) == ["", "dangling", "empty", "file", "inner", "inner/deep", "inner/deep/file", "link"]
    assert found[""] == root
    assert found["link"].kind is Kind.SYMLINK
    assert found["inner/deep/file"].size == 4


class Stop(Exception):
    """Thrown by a caller who changed their mind."""


def test_an_exception_from_a_callback_ends_the_work(folder: Path) -> None:
    def stop(*_: object) -> None:
        raise Stop

    with pytest.raises(Stop):
        Importer(NoStore(), on_entry=stop).add_path(folder)
    with pytest.raises(Stop):
        Importer(NoStore(), progress=stop).add_path(folder)
    with pytest.raises(Stop):
        Importer(NoStore(), progress=stop).add_file([b"x"])


class Quota:
    """A store that is full."""

    def put(self, blocks: object) -> None:
        raise ResourceLimitError("storage.max is reached")


def test_a_full_store_says_so_itself(folder: Path) -> None:
    with pytest.raises(ResourceLimitError, match=r"storage\.max"):
        Importer(Quota()).add_path(folder)


def test_blocks_of_small_files_are_put_in_batches(tmp_path: Path) -> None:
    for number in range(600):
        (tmp_path / str(number)).write_bytes(str(number).encode())
    blocks = Blocks()
    Importer(blocks).add_path(tmp_path)
    assert len(blocks.data) == 601
    assert blocks.puts == 3


def test_an_importer_is_used_again_after_a_failure(folder: Path) -> None:
    blocks = Blocks()
    importer = Importer(blocks)
    with pytest.raises(ImportFailed):
        importer.add_path(folder / "missing")
    entry = importer.add_path(folder / "file")
    assert list(blocks.data) == [entry.cid]


def pieces() -> Iterator[bytes]:
    yield b"from "
    yield b"a stream"


def test_a_stream_becomes_a_file() -> None:
    blocks = Blocks()
    entry = Importer(blocks).add_file(pieces(), mode=0o600)
    assert run(tree(blocks, entry.cid)) == b"from a stream"
    assert entry.mode == 0o600
