"""Names of any bytes: shown to people as far as they can be, and paths that come back as they were."""

from __future__ import annotations

import json

from tests.daemon.harness import Daemon
from zwerm.core.escaped import from_portable
from zwerm.daemon.app.places import place_bytes

NAME = b"caf\xe9.txt".decode("utf-8", "surrogateescape")
SHOWN = "caf\ufffd.txt"
CARRIED = "caf\U0010fee9.txt"


def test_paths_are_carried_and_everything_else_is_for_people() -> None:
    document = {
        "name": NAME,
        "path": f"/{NAME}",
        "entries": [{"name": NAME, "paths": [NAME, "plain"], "source": None, "size": 5}],
    }
    assert json.loads(place_bytes(document)) == {
        "name": SHOWN,
        "path": f"/{CARRIED}",
        "entries": [{"name": SHOWN, "paths": [CARRIED, "plain"], "source": None, "size": 5}],
    }


def test_a_document_of_plain_text_is_left_as_it_is() -> None:
    document = {"name": "é€", "path": "/é€", "note": "plain"}
    assert place_bytes(document) == '{"name":"é€","path":"/é€","note":"plain"}'.encode()


def test_what_is_meant_as_itself_is_not_taken_for_a_byte() -> None:
    document = json.loads(place_bytes({"name": CARRIED, "path": f"/{CARRIED}"}))
    assert document["name"] == CARRIED
    assert from_portable(document["path"]) == f"/{CARRIED}"


def test_a_file_of_any_name_is_listed_read_renamed_and_removed_by_its_path(daemon: Daemon) -> None:
    daemon.rpc("add", files={b"bytes/caf\xe9.txt": b"un", b"bytes/caf\xe8.txt": b"deux"}, to_files="/bytes")
    entries = daemon.app("GET", "files", path="/bytes").json["entries"]
    assert [entry["name"] for entry in entries] == [SHOWN, SHOWN]
    one = next(entry for entry in entries if entry["path"] == f"/bytes/{CARRIED}")
    assert daemon.app("GET", "files/stat", path=one["path"]).json["cid"] == one["cid"]
    moved = daemon.app("POST", "files/move", {"from": [one["path"]], "to": "/bytes/café.txt"})
    assert moved.json["paths"] == [one["path"], "/bytes/café.txt"]
    (other,) = (entry for entry in entries if entry is not one)
    assert daemon.app("POST", "files/delete", {"paths": [other["path"]]}).status == 200
    listed = daemon.app("GET", "files", path="/bytes").json["entries"]
    assert [entry["path"] for entry in listed] == ["/bytes/café.txt"]


def test_a_file_of_any_name_is_moved_into_another_folder_and_back(daemon: Daemon) -> None:
    daemon.rpc("add", files={b"moved/caf\xe9.txt": b"un"}, to_files="/moved")
    daemon.app("POST", "files/mkdir", {"path": "/moved/into"})
    there = f"/moved/into/{CARRIED}"
    assert daemon.app("POST", "files/move", {"from": [f"/moved/{CARRIED}"], "to": "/moved/into"}).status == 200
    assert [entry["path"] for entry in daemon.app("GET", "files", path="/moved/into").json["entries"]] == [there]
    assert daemon.app("POST", "files/move", {"from": [there], "to": "/moved"}).status == 200
    assert f"/moved/{CARRIED}" in [entry["path"] for entry in daemon.app("GET", "files", path="/moved").json["entries"]]
