"""A byte that the disk has changed, on every way out: the block is named, no wrong byte is given, all else goes on."""

from __future__ import annotations

import asyncio
import dataclasses
import http.client
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.cli.harness import Harness
from tests.daemon.harness import Daemon
from tests.faults.rot import rot
from zwerm import Node

MEBIBYTE = 1024 * 1024
TEXT = b"a block that the disk will change behind our back, long enough to be found there"
NODE = b'{"said":"a structured block that the disk will change as well"}'
LARGE = random.Random(1).randbytes(6 * MEBIBYTE)
BAD = 3 * MEBIBYTE + 4_711  # the byte of LARGE that changes
LEAF = 1 * MEBIBYTE  # bytes of one block of it; so many before and behind BAD may be wrong


@dataclasses.dataclass
class Damaged:
    """A repository in which some blocks are damaged, and their addresses."""

    zwerm: Harness
    folder: str  # of bad.txt, good.txt, large.bin
    text: str  # the block of bad.txt
    node: str  # a dag-json block
    leaf: str  # a block in the middle of large.bin


def fill(zwerm: Harness) -> Damaged:
    """Add the content, of which nothing is damaged yet."""
    zwerm.file("folder/bad.txt", TEXT)
    zwerm.file("folder/good.txt", "good")
    zwerm.file("folder/large.bin", LARGE)
    profile = ("--cid-version=1", f"--chunker=size-{LEAF}")
    folder = zwerm.run("add", "-Q", "-r", *profile, "folder").out.strip()
    node = zwerm.run("dag", "put", "--store-codec=dag-json", data=NODE).out.strip()
    zwerm.run("files", "cp", f"/ipfs/{folder}", "/kept")
    text = zwerm.run("resolve", f"/ipfs/{folder}/bad.txt").out.strip().removeprefix("/ipfs/")
    first = BAD // LEAF * LEAF
    zwerm.file("leaf", LARGE[first : first + LEAF])
    leaf = zwerm.run("add", "-Q", "-n", *profile, "leaf").out.strip()
    return Damaged(zwerm, folder, text, node, leaf)


def rot_all(damaged: Damaged) -> None:
    for content in (TEXT, NODE, LARGE[BAD : BAD + 64]):
        rot(damaged.zwerm.repository / "blocks", content)


@pytest.fixture
def local_damaged(local: Harness) -> Damaged:
    """Commands that work on the repository themselves."""
    found = fill(local)
    rot_all(found)
    return found


@pytest.fixture(params=["started on it", "wrote it", "read it before"])
def served_damaged(request: pytest.FixtureRequest, local: Harness) -> Iterator[tuple[Damaged, Daemon]]:
    """A daemon that meets the damage for the first time, or that has had the right bytes in its hands."""
    if request.param == "started on it":
        found = fill(local)
        rot_all(found)
        daemon = local.start()
    else:
        if request.param == "read it before":
            found = fill(local)
            daemon = local.start()
        else:
            daemon = local.start()
            found = fill(local)
        assert daemon.get(daemon.gateway, f"/ipfs/{found.folder}/large.bin").body == LARGE
        assert daemon.get(daemon.gateway, f"/ipfs/{found.text}?download=true").body == TEXT
        assert local.run("cat", f"{found.folder}/large.bin").raw == LARGE
        rot_all(found)
    yield found, daemon
    local.stop()


COMMANDS = {
    "cat": ["cat", "{folder}/bad.txt"],
    "cat of the block": ["cat", "{text}"],
    "get": ["get", "-o", "out", "{folder}/bad.txt"],
    "get of the folder": ["get", "-o", "out", "{folder}"],
    "get of an archive": ["get", "-a", "-o", "out", "{folder}"],
    "block get": ["block", "get", "{text}"],
    "dag get": ["dag", "get", "{node}"],
    "dag export": ["dag", "export", "{folder}"],
    "car export": ["car", "export", "{folder}"],
    "files read": ["files", "read", "/kept/bad.txt"],
    "cat of one of the files": ["cat", "/kept/bad.txt"],
    "pin verify": ["pin", "verify"],
}
WRONG = (bytes([TEXT[0] ^ 1]) + TEXT[1:], bytes([NODE[0] ^ 1]) + NODE[1:], LARGE[BAD + 1 : BAD + 64])


def no_wrong_byte(data: bytes) -> bool:
    return not any(wrong in data for wrong in WRONG)


def written(folder: Path) -> bytes:
    """What commands have left on the disk below `folder`."""
    return b"".join(
        path.read_bytes() for path in [*sorted(folder.glob("out*/**/*")), folder / "out.tar"] if path.is_file()
    )


def check_command(damaged: Damaged, name: str) -> None:
    words = [word.format(**vars(damaged)) for word in COMMANDS[name]]
    result = damaged.zwerm.run(*words, status=1)
    named = (damaged.text, damaged.node, damaged.leaf)
    assert any(cid in result.err + result.out for cid in named), result
    assert no_wrong_byte(result.raw)
    assert no_wrong_byte(written(damaged.zwerm.folder))
    if name != "pin verify":
        assert len(result.err.splitlines()) == 1
        assert "is damaged on disk; run `zwerm repo verify`" in result.err
        assert "`zwerm repo repair`" in result.err


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_on_the_repository_names_it_and_fails(local_damaged: Damaged, name: str) -> None:
    check_command(local_damaged, name)


def test_every_command_over_the_daemon_names_it_and_fails(served_damaged: tuple[Damaged, Daemon]) -> None:
    damaged, daemon = served_damaged
    for name in COMMANDS:
        check_command(damaged, name)
    assert damaged.zwerm.run("cat", f"{damaged.folder}/good.txt").out == "good"
    assert daemon.get(daemon.gateway, "/ipfs/" + damaged.folder + "/good.txt").body == b"good"


def test_cat_of_a_large_file_ends_before_the_damaged_block(local_damaged: Damaged) -> None:
    large = f"{local_damaged.folder}/large.bin"
    result = local_damaged.zwerm.run("cat", large, status=1)
    assert result.raw == LARGE[: BAD // LEAF * LEAF]
    assert local_damaged.leaf in result.err
    behind = (BAD // LEAF + 1) * LEAF
    assert local_damaged.zwerm.run("cat", "-o", str(behind), large).raw == LARGE[behind:]
    assert local_damaged.zwerm.run("cat", "-l", str(behind - LEAF), large).raw == LARGE[: behind - LEAF]
    for command in ("get", "car export"):
        words = [*command.split(), *(["-o", "out"] if command == "get" else []), large]
        assert local_damaged.leaf in local_damaged.zwerm.run(*words, status=1).err
    assert not (local_damaged.zwerm.folder / "out").exists()


def body_of(daemon: Daemon, path: str, **headers: str) -> tuple[int, bytes, bool]:
    """Return status, body and whether it was whole."""
    connection = daemon.connection(daemon.gateway)
    try:
        connection.request(
            "GET", f"/ipfs/{path}", headers={key.replace("_", "-"): text for key, text in headers.items()}
        )
        response = connection.getresponse()
        try:
            return response.status, response.read(), True
        except (http.client.IncompleteRead, ConnectionResetError) as broken:
            return response.status, getattr(broken, "partial", b""), False
    finally:
        connection.close()


def test_the_gateway_says_500_while_it_can_and_breaks_off_afterwards(served_damaged: tuple[Damaged, Daemon]) -> None:
    damaged, daemon = served_damaged
    folder, large, first = damaged.folder, f"{damaged.folder}/large.bin", BAD // LEAF * LEAF
    for path in (
        damaged.text,
        f"{folder}/bad.txt",
        f"{damaged.text}?format=raw",
        f"{damaged.text}?format=car",
        f"{damaged.text}?format=tar",
        f"{folder}/bad.txt?format=tar",
        f"{folder}?format=tar",  # bad.txt is the first in it
        damaged.node,
        f"{damaged.node}?format=dag-json",
        f"{damaged.leaf}?format=raw",
        damaged.leaf,
    ):
        status, body, whole = body_of(daemon, path)
        assert (status, whole) == (500, True), path
        assert any(cid.encode() in body for cid in (damaged.text, damaged.node, damaged.leaf)), path
    for ranges in (f"bytes={BAD}-{BAD + 9}", f"bytes={BAD - 4_000}-{BAD + 300_000}", f"bytes={BAD}-{BAD},0-9"):
        status, body, whole = body_of(daemon, large, Range=ranges)
        assert (status, whole) == (500, True), ranges
        assert damaged.leaf.encode() in body, ranges

    status, body, whole = body_of(daemon, large)
    assert (status, whole) == (200, False)
    assert LARGE.startswith(body)
    assert len(body) <= first
    for path in (f"{folder}?format=car", f"{large}?format=car", f"{large}?format=tar"):
        status, body, whole = body_of(daemon, path)
        assert (status, whole) == (200, False), path
        assert no_wrong_byte(body), path
    for start, end in ((0, first), (first + LEAF, len(LARGE)), (first + LEAF + 1, first + LEAF + 100)):
        assert body_of(daemon, large, Range=f"bytes={start}-{end - 1}") == (206, LARGE[start:end], True)
    assert body_of(daemon, f"{folder}/good.txt") == (200, b"good", True)


def test_the_rpc_says_500_while_it_can_and_breaks_off_afterwards(served_damaged: tuple[Damaged, Daemon]) -> None:
    damaged, daemon = served_damaged
    large = f"{damaged.folder}/large.bin"
    for command, argument, options in (
        ("cat", damaged.text, {}),
        ("get", damaged.text, {}),
        ("block/get", damaged.text, {}),
        ("dag/get", damaged.node, {}),
        ("files/read", "/kept/bad.txt", {}),
        ("files/read", "/kept/large.bin", {"offset": BAD}),
        ("cat", large, {"offset": BAD}),
    ):
        answer = daemon.rpc(command, argument, **options)
        assert answer.status == 500, command
        assert "is damaged on disk" in answer.json["Message"], command
    for command, argument in (("cat", large), ("dag/export", damaged.folder), ("files/read", "/kept/large.bin")):
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)) as broken:
            daemon.rpc(command, argument)
        assert no_wrong_byte(getattr(broken.value, "partial", b"")), command
    behind = (BAD // LEAF + 1) * LEAF
    assert daemon.rpc("cat", large, offset=behind).body == LARGE[behind:]


async def ways_of_the_library(node: Node, damaged: Damaged) -> AsyncIterator[tuple[str, bytes]]:
    """Yield what each way of reading gave before it failed, and the error's text."""
    for name in (damaged.text, f"/ipfs/{damaged.folder}/large.bin", "/kept/bad.txt"):
        data = bytearray()
        try:
            async for chunk in node.cat(name):
                data += chunk
        except Exception as error:  # noqa: BLE001 -- which it is is looked at
            yield f"{type(error).__name__}: {error}", bytes(data)


def test_the_library_raises_and_gives_no_wrong_byte(local_damaged: Damaged) -> None:
    async def read() -> None:
        async with Node(local_damaged.zwerm.repository, profile="test") as node:
            found = [item async for item in ways_of_the_library(node, local_damaged)]
            assert len(found) == 3
            for text, data in found:
                assert text.startswith("CorruptBlock: block baf")
                assert data in (b"", LARGE[: BAD // LEAF * LEAF])

    asyncio.run(read())


def test_a_read_is_enough_for_the_block_to_be_counted_shown_and_healed(local: Harness) -> None:
    damaged = fill(local)
    rot_all(damaged)
    daemon = local.start()
    assert damaged.text in local.run("cat", damaged.text, status=1).err
    for answer in (
        daemon.app("GET", "explore/bytes", cid=damaged.text),
        daemon.app("GET", "explore", path=damaged.text),
    ):
        assert (answer.status, answer.json["error"]["code"]) == (500, "damaged")
        assert answer.json["error"]["details"] == damaged.text
    local.stop()
    assert damaged.text in local.run("cat", damaged.text, status=1).err  # still known after a restart
    local.run("add", "-Q", "--cid-version=1", "folder/bad.txt")  # the same content again heals it
    assert local.run("cat", damaged.text).raw == TEXT


def test_a_check_names_all_and_the_same_content_heals_them(local: Harness) -> None:
    damaged = fill(local)
    rot_all(damaged)
    daemon = local.start()
    found = local.run("repo", "verify", status=1)
    for cid in (damaged.text, damaged.leaf):
        assert f"block {cid} was corrupt" in found.out
    assert "3 blocks" in found.err
    assert daemon.get(daemon.gateway, f"/ipfs/{damaged.text}").status == 500
    local.run("add", "-Q", "-r", "--cid-version=1", f"--chunker=size-{LEAF}", "folder")
    local.run("dag", "put", "--store-codec=dag-json", data=NODE)
    assert local.run("cat", f"{damaged.folder}/large.bin").raw == LARGE
    local.run("repo", "verify")
    local.stop()


def test_with_storage_verify_the_same_is_said(local: Harness) -> None:
    damaged = fill(local)
    local.run("config", "storage.verify", "true")
    assert local.run("cat", f"{damaged.folder}/large.bin").raw == LARGE
    rot_all(damaged)
    assert damaged.text in local.fails("cat", damaged.text)
    daemon = local.start()
    assert body_of(daemon, f"{damaged.folder}/good.txt") == (200, b"good", True)
    for path in (damaged.text, f"{damaged.text}?format=raw", f"{damaged.folder}/bad.txt", damaged.leaf):
        status, body, whole = body_of(daemon, path)
        assert (status, whole) == (500, True)
        assert damaged.text.encode() in body or damaged.leaf.encode() in body
    status, body, whole = body_of(daemon, f"{damaged.folder}/large.bin")
    assert (status, whole) == (200, False)
    assert LARGE.startswith(body)
    local.stop()
