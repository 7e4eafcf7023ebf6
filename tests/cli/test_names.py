"""Names are bytes: they come out as they went in, and JSON is valid whatever they are, with and without a daemon."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.harness import Harness

ODD = [
    b"\xff",
    b"caf\xe9.txt",
    b"\xe2\x82",
    b"\xed\xa0\x80",
    b"a\nb",
    b"%FF",
    b"\x1b[31m",
    "é".encode(),
    b" ",
    b"+&=?#",
]
NAMES = st.binary(min_size=1, max_size=255).filter(lambda name: not {47, 0} & set(name) and name not in (b".", b".."))


def folder(zwerm: Harness, names: list[bytes], place: str) -> bytes:
    """Make a folder with files of these names, each of which holds its name."""
    root = os.fsencode(zwerm.folder / place)
    os.makedirs(root, exist_ok=True)
    for name in names:
        Path(os.fsdecode(os.path.join(root, name))).write_bytes(name)
    return root


def read(root: bytes) -> dict[bytes, bytes]:
    return {name: Path(os.fsdecode(os.path.join(root, name))).read_bytes() for name in os.listdir(root)}


def test_they_come_back_by_get_cat_and_ls(zwerm: Harness) -> None:
    root = zwerm.run("add", "-rHQ", Path(os.fsdecode(folder(zwerm, ODD, "odd")))).out.strip()
    zwerm.run("get", "-o", "odd-back", root)
    assert read(os.fsencode(zwerm.folder / "odd-back")) == {name: name for name in ODD}
    for name in ODD:
        path = f"{root}/{os.fsdecode(name)}"
        assert zwerm.run("cat", path).raw == name
        zwerm.run("get", "-o", "one-back", path)
        assert (zwerm.folder / "one-back").read_bytes() == name
        assert zwerm.run("resolve", f"/ipfs/{path}").out.startswith("/ipfs/baf")
    listed = zwerm.run("ls", "--size=false", root).raw
    assert b" caf\xe9.txt\n" in listed
    assert b" \xe2\x82\n" in listed
    assert b" a\\nb\n" in listed  # what could fake a line is escaped
    assert b" caf\xe9.txt\n" in zwerm.run("refs", "--format", "<dst> <linkname>", root).raw


def test_get_names_a_file_by_its_bytes(zwerm: Harness) -> None:
    root = zwerm.run("add", "-rQ", Path(os.fsdecode(folder(zwerm, [b"solo\xff"], "solo")))).out.strip()
    said = zwerm.run("get", f"{root}/" + os.fsdecode(b"solo\xff")).raw
    assert said == b"Saving file(s) to solo\xff\n"
    assert Path(os.fsdecode(os.fsencode(zwerm.folder) + b"/solo\xff")).read_bytes() == b"solo\xff"


def test_adding_prints_the_bytes_and_json_marks_them(zwerm: Harness) -> None:
    place = Path(os.fsdecode(folder(zwerm, [b"caf\xe9"], "cafe")))
    assert b" cafe/caf\xe9\n" in zwerm.run("add", "-r", place).raw
    names = [item["Name"] for item in zwerm.run("add", "-r", "--json", place).documents]
    assert names == ["cafe/caf\ufffd", "cafe"]


@pytest.mark.parametrize(
    "command",
    [("ls",), ("ls", "--stream"), ("refs", "--format=<linkname>"), ("dag", "get"), ("files", "ls", "-l")],
    ids=" ".join,
)
def test_json_is_utf_8_whatever_the_names(zwerm: Harness, command: tuple[str, ...]) -> None:
    root = zwerm.run("add", "-rHQ", Path(os.fsdecode(folder(zwerm, ODD, "odd")))).out.strip()
    if command[0] == "files":
        zwerm.run("files", "rm", "-r", "--force", "/odd")
        zwerm.run("files", "cp", f"/ipfs/{root}", "/odd")
    result = zwerm.run(*command, "--json", "/odd" if command[0] == "files" else root)
    text = result.raw.decode("utf-8")
    assert result.documents
    assert "caf\ufffd.txt" in text
    assert "\\ud" not in text
    assert '"é"' in text


def test_errors_name_them_alike(local: Harness, served: Harness) -> None:
    said = []
    for zwerm in (local, served):
        root = zwerm.run("add", "-rQ", Path(os.fsdecode(folder(zwerm, [b"\xff"], "small")))).out.strip()
        said.append(zwerm.fails("cat", f"{root}/" + os.fsdecode(b"\xfe")))
    assert said[0] == said[1]


def test_kubos_clients_get_valid_json(served: Harness) -> None:
    """Kubo writes U+FFFD for each such byte (Go, encoding/json), and takes `%FF` in an argument for the byte."""
    root = served.run("add", "-rHQ", Path(os.fsdecode(folder(served, ODD, "odd")))).out.strip()
    assert served.daemon is not None
    answer = served.daemon.rpc("ls", root)
    names = [link["Name"] for link in answer.json["Objects"][0]["Links"]]
    assert "caf\ufffd.txt" in names
    assert "\ufffd\ufffd" in names
    answer.body.decode("utf-8")
    data = served.daemon.request("POST", served.daemon.api, f"/api/v0/cat?arg={root}/caf%E9.txt")
    assert data.body == b"caf\xe9.txt"
    assert served.daemon.get(served.daemon.gateway, f"/ipfs/{root}/caf%E9.txt").body == b"caf\xe9.txt"


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, min_size=1, max_size=60, unique=True), number=st.uuids())
def test_any_name_of_bytes_comes_back(served: Harness, names: list[bytes], number: object) -> None:
    root = served.run("add", "-rHQ", Path(os.fsdecode(folder(served, names, f"any-{number}")))).out.strip()
    served.run("get", "-o", f"back-{number}", root)
    assert read(os.fsencode(served.folder / f"back-{number}")) == {name: name for name in names}
