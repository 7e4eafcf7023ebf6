"""DAGs made to hurt: few bytes that unfold to more than anybody can take, chains without end, blocks in addresses."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from urllib.parse import quote

from tests.cli.harness import Harness
from zwerm.core.protobuf import serialize_field
from zwerm.ipfs.ipld import dag_cbor
from zwerm.multiformats import multicodec, varint
from zwerm.multiformats.cid import CID

Blocks = list[tuple[CID, bytes]]


def file_block(links: Sequence[CID], sizes: Sequence[int]) -> bytes:
    """A UnixFS file that says of itself what suits us."""
    message = (
        serialize_field(1, 2) + serialize_field(3, sum(sizes)) + b"".join(serialize_field(4, size) for size in sizes)
    )
    return b"".join(serialize_field(2, serialize_field(1, bytes(link))) for link in links) + serialize_field(1, message)


def unfolding(levels: int, width: int) -> Blocks:
    """`levels` blocks that say `width` to the power of `levels` times the same two bytes."""
    data, codec, size = b"ha", multicodec.RAW, 2
    blocks: Blocks = [(CID.of(data), data)]
    for _ in range(levels):
        data, codec = file_block([blocks[-1][0]] * width, [size] * width), multicodec.DAG_PB
        blocks.append((CID.of(data, codec), data))
        size *= width
    return blocks


def chain(length: int) -> Blocks:
    """A file of one byte, `length` levels deep."""
    blocks: Blocks = [(CID.of(b"x"), b"x")]
    for _ in range(length):
        data = file_block([blocks[-1][0]], [1])
        blocks.append((CID.of(data, multicodec.DAG_PB), data))
    return blocks


def archive(blocks: Blocks) -> bytes:
    """A CAR whose root is the last block."""
    header = dag_cbor.encode({"version": 1, "roots": [blocks[-1][0]]})
    sections = [header, *(bytes(cid) + data for cid, data in blocks)]
    return b"".join(varint.serialize(len(section)) + section for section in sections)


def take(zwerm: Harness, blocks: Blocks) -> str:
    zwerm.run("car", "import", "--pin-roots=false", data=archive(blocks))
    return str(blocks[-1][0])


def test_a_file_deeper_than_any_real_one_is_refused_by_name(zwerm: Harness) -> None:
    root = take(zwerm, chain(1_000))
    assert zwerm.fails("cat", root) == f"{root} is a file of more than 64 levels"
    assert zwerm.run("get", root, status=1).err == f"Error: {root} is a file of more than 64 levels\n"
    assert len(zwerm.run("refs", "-r", root).lines) == 1_000
    zwerm.run("pin", "add", root)
    zwerm.run("pin", "rm", root)


def test_a_size_that_no_file_has_is_refused(served: Harness) -> None:
    root = take(served, unfolding(5, 5_500))
    assert "more than a file can" in served.fails("cat", root)


def test_a_document_nested_without_end_is_refused_by_name(served: Harness) -> None:
    data = b"\x81" * 100_000 + b"\x01"
    root = take(served, [(CID.of(data, multicodec.DAG_CBOR), data)])
    assert served.fails("dag", "get", root) == f"{root}: CBOR nested deeper than 256"


def test_what_repeats_itself_is_kept_and_exported_once(served: Harness) -> None:
    blocks = unfolding(4, 2_000)
    root = take(served, blocks)
    served.run("pin", "add", root)
    exported = served.run("car", "export", root).raw
    assert len(exported) < len(archive(blocks)) + 1_000
    assert len(served.run("refs", "-r", "--unique", root).lines) == 4
    served.run("pin", "rm", root)


def test_a_client_that_leaves_an_endless_answer_leaves_the_node_free(served: Harness) -> None:
    root = take(served, unfolding(4, 2_000))
    daemon = served.daemon
    assert daemon is not None
    requests = [
        (daemon.api, f"POST /api/v0/refs?recursive=true&arg={root}"),
        (daemon.api, f"POST /api/v0/cat?arg={root}"),
        (daemon.gateway, f"GET /ipfs/{root}?filename={quote('a.txt')}"),
        (daemon.gateway, f"GET /ipfs/{root}?format=tar"),
    ]
    for where, line in requests:
        host, port = where.split(":")
        with socket.create_connection((host, int(port)), 30) as connection:
            connection.sendall(f"{line} HTTP/1.1\r\nHost: {where}\r\n\r\n".encode())
            assert connection.recv(12) == b"HTTP/1.1 200"
        assert daemon.get(daemon.api, "/health").status == 200
    assert served.add("still here") != ""


def test_identity_blocks_by_the_thousand_are_read_and_never_stored(served: Harness) -> None:
    links = [CID(1, multicodec.RAW, b"\x00\x02" + number.to_bytes(2, "big")) for number in range(5_000)]
    data = file_block(links, [2] * len(links))
    root = take(served, [(CID.of(data, multicodec.DAG_PB), data)])
    assert served.run("cat", root).raw == b"".join(link.digest for link in links)
    assert len(served.run("car", "export", root).raw) < len(data) + 200
