"""`zwerm name`, `zwerm publish --name` and `zwerm resolve` of names, with and without a daemon."""

from __future__ import annotations

import re

import pytest

from tests.cli.harness import Harness
from tests.ipfs.ipns.vectors import vector


def test_a_name_is_published_and_followed(zwerm: Harness) -> None:
    zwerm.file("hello.txt", "hello")
    address = zwerm.run("add", "-Q", "hello.txt").out.strip()
    [line] = zwerm.run("name", "publish", f"/ipfs/{address}").lines
    name = line.removeprefix("Published to ").partition(":")[0]
    assert line == f"Published to {name}: /ipfs/{address}"
    assert name.startswith("k51")
    assert zwerm.run("name", "resolve").out == f"/ipfs/{address}\n"
    assert zwerm.run("resolve", "-r", f"/ipns/{name}").out == f"/ipfs/{address}\n"
    assert zwerm.run("cat", f"/ipns/{name}").out == "hello"
    assert zwerm.run("name", "publish", "-Q", f"/ipfs/{address}").out == f"{name}\n"
    unknown = "k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8"
    assert "nothing is published" in zwerm.fails("name", "resolve", unknown)


def test_a_site_is_updated_in_one_step_under_a_name_that_stays(zwerm: Harness, request: pytest.FixtureRequest) -> None:
    at = "/" + re.sub(r"\W+", "-", request.node.name)
    page = zwerm.file("public/index.html", "<h1>one</h1>")
    key = at.strip("/")
    first = zwerm.run("publish", "public", "--to", at, "--name", key).lines
    assert first[2].startswith("name      /ipns/k51")
    name = first[2].split("/ipns/")[1]
    page.write_text("<h1>two</h1>")
    second = zwerm.run("publish", "public", "--to", at, "--name", key, "--json").json
    assert second["Name"] == name
    assert zwerm.run("cat", f"/ipns/{name}/index.html").out == "<h1>two</h1>"
    assert zwerm.run("name", "resolve", name).out == f"/ipfs/{second['Cid']}\n"


def test_a_record_is_shown_and_held_against_a_name(zwerm: Harness) -> None:
    case = vector("v1-v2")
    (zwerm.folder / "record").write_bytes(case.encoded)
    shown = zwerm.run("name", "inspect", "--verify", str(case.name), "record").lines
    assert shown[0] == "Value:          /ipfs/bafkqaddwgevxmmraojswg33smq"
    assert "Valid:          true" in shown
    assert any(line.startswith("00000010  ") for line in shown)
    failed = zwerm.run("name", "inspect", "--dump=false", "--verify", str(vector("v2").name), "record", status=1)
    assert failed.lines[-1].startswith("Reason:         IPNS record with a wrong signature")
