"""Git objects as IPLD, held against Git itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipfs.ipld.test_traverse import Store
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_cbor, git_raw
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.ipld.resolve import read_value, resolve
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

PERSON = b"A U Thor <author@example.org> 1503667703 +0200"
SHA = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
NAMED = CID(1, multicodec.GIT_RAW, b"\x11\x14" + bytes.fromhex(SHA))


def wrapped(kind: bytes, content: bytes) -> bytes:
    return b"%s %d\0%s" % (kind, len(content), content)


def cid_of(sha: str) -> CID:
    return CID(1, multicodec.GIT_RAW, b"\x11\x14" + bytes.fromhex(sha))


class Repository:
    """A Git repository in a folder of its own, whatever the machine's configuration."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run("init", "--quiet", "--initial-branch=main")

    def run(self, *arguments: str, data: bytes | None = None) -> bytes:
        names = {f"GIT_{role}_{what}": text for role in ("AUTHOR", "COMMITTER") for what, text in IDENTITY.items()}
        environment = names | {"HOME": str(self.path), "PATH": "/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM": "1"}
        command = ["git", "-C", str(self.path), *arguments]
        return subprocess.run(command, input=data, env=environment, check=True, capture_output=True).stdout

    def objects(self) -> dict[str, bytes]:
        """Every object as what Git hashes, by its name."""
        listed = self.run("cat-file", "--batch-all-objects", "--batch-check").decode().split("\n")[:-1]
        return {
            sha: wrapped(kind.encode(), self.run("cat-file", kind, sha))
            for sha, kind, _ in (line.split(" ") for line in listed)
        }


IDENTITY = {"NAME": "A U Thor", "EMAIL": "author@example.org", "DATE": "1503667703 +0200"}


async def test_a_repository_is_a_dag_of_its_objects(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "naïve.txt").write_text("content\n")
    (tmp_path / "empty").touch()
    repository.run("add", ".")
    repository.run("commit", "--quiet", "--message=First\n\nWith a body.")
    repository.run("checkout", "--quiet", "-b", "side")
    repository.run("commit", "--quiet", "--allow-empty", "--message=Side")
    repository.run("tag", "--annotate", "v1", "--message=Version one")
    repository.run("checkout", "--quiet", "main")
    repository.run("commit", "--quiet", "--allow-empty", "--message=Other")
    repository.run("merge", "--quiet", "--no-ff", "--message=Merge", "v1")
    store = Store()
    objects = repository.objects()
    for sha, data in objects.items():
        block = Block.check(cid_of(sha), data)
        store.blocks.put([block])
    head = cid_of(repository.run("rev-parse", "HEAD").decode().strip())
    tag = cid_of(repository.run("rev-parse", "v1").decode().strip())
    assert set(await store.walked(head, tag)) == {cid_of(sha) for sha in objects}

    path = ContentPath.of(head, "parents", "0", "parents", "0", "tree", "folder", "hash", "naïve.txt", "hash")
    assert await read_value(store, await resolve(store, path)) == wrapped(b"blob", b"content\n")
    merge = git_raw.decode(objects[repository.run("rev-parse", "HEAD").decode().strip()])
    assert merge["message"] == "Merge\n"
    assert merge["author"] == {
        "name": "A U Thor",
        "email": "author@example.org",
        "date": "1503667703",
        "timezone": "+0200",
    }
    assert len(merge["parents"]) == 2
    tagged = git_raw.decode(objects[repository.run("rev-parse", "v1").decode().strip()])
    assert (tagged["type"], tagged["tag"], tagged["message"]) == ("commit", "v1", "Version one\n")


def test_all_that_a_commit_can_hold_is_read() -> None:
    tag = b"object %s\n type commit\n tag v1\n tagger %s\n \n Signed\n message" % (SHA.encode(), PERSON)
    content = (
        b"tree %s\nparent %s\nauthor %s\ncommitter %s\nencoding ISO-8859-1\nmergetag %s\n"
        b"gpgsig -----BEGIN-----\n line\n -----END-----\nHG:extra yes\n\nmessage\n\nmore"
    ) % (SHA.encode(), SHA.encode(), PERSON, b"N. O. Mail", tag)
    assert git_raw.decode(wrapped(b"commit", content)) == {
        "tree": NAMED,
        "parents": [NAMED],
        "author": {"name": "A U Thor", "email": "author@example.org", "date": "1503667703", "timezone": "+0200"},
        "committer": {"name": "N. O. Mail", "email": "", "date": "", "timezone": ""},
        "encoding": "ISO-8859-1",
        "mergetag": [
            {
                "object": NAMED,
                "type": "commit",
                "tag": "v1",
                "tagger": {
                    "name": "A U Thor",
                    "email": "author@example.org",
                    "date": "1503667703",
                    "timezone": "+0200",
                },
                "message": "Signed\nmessage",
            }
        ],
        "signature": "-----BEGIN-----\nline\n-----END-----",
        "other": ["HG:extra yes"],
        "message": "message\n\nmore",
    }


def test_a_tree_maps_names_to_modes_and_links() -> None:
    content = b"100644 a b\0" + bytes.fromhex(SHA) + b"40000 \xff\0" + bytes.fromhex(SHA)
    data = wrapped(b"tree", content)
    assert git_raw.decode(data) == {
        "a b": {"mode": "100644", "hash": NAMED},
        "\ufffd": {"mode": "40000", "hash": NAMED},
    }
    assert git_raw.links(data) == [NAMED, NAMED]
    assert git_raw.decode(wrapped(b"tree", b"")) == {}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"blob",
        b"blob 0",
        b"blob\0",
        b"blob x\0",
        b"blob 1\0",
        b"blob 1\0ab",
        b"blob -1\0",
        b"blob " + b"0" * 40 + b"\0",
        b"file 0\0",
        wrapped(b"tree", b"100644 a\0" + bytes(19)),
        wrapped(b"tree", b"100644a\0" + bytes(20)),
        wrapped(b"tree", (b"100644 a\0" + bytes(20)) * 2),
        wrapped(b"tree", b"100644 a"),
        wrapped(b"commit", b""),
        wrapped(b"commit", b"\nmessage"),
        wrapped(b"commit", b"tree\n\n"),
        wrapped(b"commit", b"tree xyz\n\n"),
        wrapped(b"commit", b"tree abcd\n\n"),
        wrapped(b"commit", "tree é\n\n".encode()),
        wrapped(b"tag", b"tag v1\n\n"),
        wrapped(b"commit", b"tree " + SHA.encode() + b"\na b" * 70_000),
    ],
)
def test_what_is_no_git_object_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        git_raw.decode(data)


def test_an_object_cut_short_at_any_length_is_refused() -> None:
    data = wrapped(b"tree", b"100644 a b\0" + bytes.fromhex(SHA) + b"40000 c\0" + bytes.fromhex(SHA))
    for size in range(len(data)):
        with pytest.raises(WireError):
            git_raw.decode(data[:size])


def test_objects_are_not_written() -> None:
    with pytest.raises(LocalProtocolError):
        git_raw.encode({})


lines = st.sampled_from(
    [
        b"tree " + SHA.encode(),
        b"parent " + SHA.encode(),
        b"author " + PERSON,
        b"mergetag object " + SHA.encode(),
        b" x",
        b"",
    ]
)


@given(
    st.binary(max_size=60)
    | st.builds(wrapped, st.sampled_from([b"blob", b"tree", b"commit", b"tag"]), st.binary(max_size=60))
    | st.builds(wrapped, st.sampled_from([b"commit", b"tag"]), st.lists(lines | st.binary(max_size=9)).map(b"\n".join))
)
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        value = git_raw.decode(data)
    except WireError:
        return
    dag_cbor.encode(value)
