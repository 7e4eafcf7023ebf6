"""A byte that the disk has changed: with `storage.verify` at once, otherwise from the first check on, never served."""

from __future__ import annotations

import http.client

import pytest

from tests.cli.harness import Harness
from tests.daemon.harness import Daemon

TEXT = b"a block that the disk will change behind our back, long enough to be found there"


def damage(zwerm: Harness, content: bytes) -> None:
    """Change one bit of what lies in a pack."""
    for pack in (zwerm.repository / "blocks").rglob("*"):
        position = pack.read_bytes().find(content) if pack.is_file() else -1
        if position >= 0:
            with pack.open("r+b") as file:
                file.seek(position)
                file.write(bytes([content[0] ^ 1]))
            return
    raise AssertionError("the content is in no pack")


def body_of(daemon: Daemon, path: str) -> bytes:
    """Return what the gateway gives, also when it breaks off."""
    try:
        return daemon.get(daemon.gateway, path).body
    except http.client.IncompleteRead as broken:
        return broken.partial


@pytest.fixture
def damaged(local: Harness) -> tuple[Harness, str, str]:
    """A repository with a folder of a good and a damaged file, the folder's address and the damaged block's."""
    local.file("folder/bad.txt", TEXT)
    local.file("folder/good.txt", "good")
    folder = local.run("add", "-Q", "-r", "--cid-version=1", "folder").out.strip()
    damage(local, TEXT)
    return local, folder, local.run("add", "-Q", "-n", "--cid-version=1", "folder/bad.txt").out.strip()


def test_a_check_names_it_and_nothing_serves_it_from_then_on(damaged: tuple[Harness, str, str]) -> None:
    zwerm, folder, block = damaged
    daemon = zwerm.start()
    found = zwerm.run("repo", "verify", status=1)
    assert f"block {block} was corrupt" in found.out
    assert "1 blocks corrupt" in found.err or "1 block" in found.err

    for command in (["cat", block], ["block", "get", block], ["dag", "get", block], ["car", "export", folder]):
        assert block in zwerm.run(*command, status=1).err
    assert block in daemon.rpc("block/get", block).json["Message"]
    for path in (block, f"{block}?format=raw", f"{folder}/bad.txt", f"{folder}?format=car", f"{folder}?format=tar"):
        assert TEXT[1:] not in body_of(daemon, f"/ipfs/{path}")
    assert daemon.get(daemon.gateway, f"/ipfs/{block}").status == 500
    for answer in (daemon.app("GET", "explore/bytes", cid=block), daemon.app("GET", "explore", path=block)):
        assert (answer.status, answer.json["error"]["code"], answer.json["error"]["details"]) == (500, "damaged", block)

    assert zwerm.run("cat", f"{folder}/good.txt").out == "good"
    zwerm.run("add", "-Q", "--cid-version=1", "folder/bad.txt")  # the same content again heals it
    assert zwerm.run("cat", block).raw == TEXT
    zwerm.run("repo", "verify")
    zwerm.stop()


def test_with_verification_of_reads_it_is_never_served_at_all(damaged: tuple[Harness, str, str]) -> None:
    zwerm, folder, block = damaged
    zwerm.run("config", "storage.verify", "true")
    assert block in zwerm.fails("cat", block)
    daemon = zwerm.start()
    for path in (block, f"{block}?format=raw", f"{folder}/bad.txt"):
        answer = daemon.get(daemon.gateway, f"/ipfs/{path}")
        assert answer.status == 500
        assert block.encode() in answer.body
    assert block in daemon.rpc("cat", block).json["Message"]
    zwerm.stop()
