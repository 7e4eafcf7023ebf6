"""Blocks, linked data, archives, references, addresses as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.harness import Harness

RAW = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"  # of "hello world"


def test_blocks_are_put_shown_and_removed(zwerm: Harness) -> None:
    file = zwerm.file("block", "hello world")
    assert zwerm.run("block", "put", file).lines == [RAW]
    assert zwerm.run("block", "put", "--cid-codec=dag-cbor", data="hello world").out.startswith("bafyrei")
    assert zwerm.run("block", "get", RAW).out == "hello world"
    assert zwerm.run("block", "stat", RAW).lines == [f"Key: {RAW}", "Size: 11"]
    assert zwerm.run("block", "stat", "--json", RAW).json == {"Key": RAW, "Size": 11}
    assert zwerm.run("block", "rm", RAW).lines == [f"removed {RAW}"]
    gone = zwerm.run("block", "rm", RAW, status=1)
    assert gone.err.splitlines() == [
        f"cannot remove {RAW}: block {RAW} is not here",
        "Error: some blocks not removed",
    ]
    assert zwerm.run("block", "rm", "-f", RAW).lines == [f"removed {RAW}"]


def test_linked_data(zwerm: Harness) -> None:
    inner = zwerm.run("dag", "put", data='{"name": "inner"}').out.strip()
    outer = zwerm.run("dag", "put", data=f'{{"to": {{"/": "{inner}"}}}}').out.strip()
    assert zwerm.run("dag", "get", f"{outer}/to").out == '{"name":"inner"}'
    assert zwerm.run("dag", "resolve", f"{outer}/to/name").lines == [f"{inner}/name"]
    assert zwerm.run("resolve", f"/ipfs/{outer}/to").lines == [f"/ipfs/{inner}"]
    assert zwerm.run("refs", outer).lines == [inner]
    assert zwerm.run("refs", "-r", "-e", outer).lines == [f"{outer} -> {inner}"]
    stat = zwerm.run("dag", "stat", outer).out
    assert "Unique Blocks: 2" in stat
    assert "Ratio: 1.000000" in stat
    assert zwerm.run("dag", "stat", "--json", "--progress=false", outer).json["UniqueBlocks"] == 2
    assert len(zwerm.run("refs", "local").lines) >= 2
    assert "is not here" in zwerm.run("refs", RAW, status=1).err


def test_archives_go_out_and_come_in(zwerm: Harness, tmp_path_factory: pytest.TempPathFactory) -> None:
    zwerm.file("folder/a", "1" * 400_000)
    zwerm.file("folder/b", "2")
    root = zwerm.run("add", "-rQ", "folder").out.strip()
    archive = zwerm.run("dag", "export", root).raw
    assert archive == zwerm.run("car", "export", f"/ipfs/{root}").raw
    file = zwerm.file("folder.car", archive)
    other = Harness(tmp_path_factory.mktemp("other") / "work")
    assert other.run("dag", "import", "--stats", file).lines == [
        f"Pinned root\t{root}\tsuccess",
        f"Imported 5 blocks ({sum_of_blocks(zwerm, root)} bytes)",
    ]
    assert other.run("cat", f"{root}/b").out == "2"
    assert other.run("car", "import", "--silent", file).out == ""
    cut = other.file("cut.car", archive[:300_000])
    assert "cut.car: CAR broken at byte" in other.fails("car", "import", cut)


def sum_of_blocks(zwerm: Harness, root: str) -> int:
    return int(zwerm.run("dag", "stat", "--json", "--progress=false", root).json["TotalSize"])


def test_addresses_are_converted(local: Harness) -> None:
    v0 = "QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN"
    v1 = "bafybeiffndsajwhk3lwjewwdxqntmjm4b5wxaaanokonsggenkbw6slwk4"
    assert local.run("cid", "base32", v0).lines == [v1]
    assert local.run("cid", "format", "-f", "%c-%h", data=f"{v0}\n{RAW}\n").lines == ["dag-pb-sha2-256", "raw-sha2-256"]
    mixed = local.run("cid", "format", "-v", "1", "-b", "base32", "nonsense", v0, status=1)
    assert mixed.lines == [v1]
    assert mixed.err.startswith("nonsense: ")
    assert f"CIDv1:      {v1}" in local.run("cid", "inspect", v0).lines
    assert "z  base58btc" in local.run("cid", "bases", "--prefix").lines
    assert "    113  dag-cbor" in local.run("cid", "codecs", "--numeric").lines
    assert "blake3" in local.run("cid", "hashes").lines
    assert not local.repository.exists()


def test_text_and_bytes(local: Harness) -> None:
    assert local.run("multibase", "encode", "-b", "base16", data="hello").out == "f68656c6c6f"
    assert local.run("multibase", "decode", data="f68656c6c6f").out == "hello"
    assert local.run("multibase", "transcode", "-b", "base32", data="f68656c6c6f").out == "bnbswy3dp"
    assert "base32" in local.run("multibase", "list").lines


def test_a_corrupt_block_is_named_and_never_shown(local: Harness) -> None:
    data = b"these bytes will be changed behind the back of the node"
    address = local.add(data)
    pack = next(path for path in (local.repository / "blocks").rglob("*") if data in path.read_bytes())
    content = pack.read_bytes()
    pack.write_bytes(content.replace(data, b"X" * len(data)))
    verified = local.run("repo", "verify", status=1)
    assert f"block {address} was corrupt" in verified.lines
    assert "verify complete, 1 blocks corrupt" in verified.err
    assert "is damaged on disk" in local.fails("cat", address)
    local.run("repo", "repair")
    assert local.run("repo", "verify").lines[-1].startswith("verify complete, all blocks validated.")
    assert "is not here" in local.fails("cat", address)


def test_paths_of_archives_must_exist(zwerm: Harness) -> None:
    assert "no.car" in zwerm.fails("car", "import", Path("no.car"))
    assert "send it to a file" not in zwerm.run("car", "export", zwerm.add("x")).err
