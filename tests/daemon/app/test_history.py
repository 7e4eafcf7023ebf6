"""`history/*` of the app API: versions, comparing, restoring."""

from __future__ import annotations

import pytest


def put(daemon, path: str, data: bytes) -> str:
    return daemon.app("PUT", "files/upload", data, path=path).json["version"]


@pytest.fixture(scope="module")
def story(daemon) -> list[str]:
    """Three versions of a text, and a renaming."""
    made = [put(daemon, "/story/a.txt", f"line one\nline {number}\n".encode()) for number in range(3)]
    made.append(daemon.app("POST", "files/move", {"from": ["/story/a.txt"], "to": "/story/b.txt"}).json["version"])
    return made


def test_versions_of_a_path_newest_first(daemon, story) -> None:
    found = daemon.app("GET", "history", path="/story").json
    assert [version["version"] for version in found["versions"]] == story[::-1]
    assert (found["next"], found["gap"]) == (None, None)
    newest = found["versions"][0]
    assert newest["mine"] is True
    assert newest["author"] == daemon.app("GET", "node").json["peer_id"]
    assert newest["change"]["renamed"] == 1
    assert newest["time"].endswith("Z")
    assert newest["short"] in newest["version"]
    assert newest["parents"] == [story[2]]


def test_a_file_keeps_its_history_through_a_renaming(daemon, story) -> None:
    found = daemon.app("GET", "history", path="/story/b.txt").json["versions"]
    assert [version["kind"] for version in found] == ["renamed", "changed", "changed", "added"]


def test_versions_come_in_pages(daemon, story) -> None:
    first = daemon.app("GET", "history", path="/story", limit=3).json
    second = daemon.app("GET", "history", path="/story", limit=3, after=first["next"]).json
    together = [version["version"] for version in first["versions"] + second["versions"]]
    assert together == story[::-1]
    assert second["next"] is None


def test_two_versions_compared(daemon, story) -> None:
    found = daemon.app("GET", "history/compare", **{"path": "/story", "from": story[0], "to": story[2]}).json
    (change,) = found["changes"]
    assert (change["kind"], change["path"]) == ("changed", "/story/a.txt")
    assert change["before"]["size"] == change["after"]["size"] == 16
    assert found["from"]["version"] == story[0]
    now = daemon.app("GET", "history/compare", **{"path": "/story", "from": story[2]}).json
    (change,) = now["changes"]
    assert (change["kind"], change["source"], change["path"]) == ("renamed", "/story/a.txt", "/story/b.txt")
    assert now["to"] is None
    everything = daemon.app("GET", "history/compare", path="/story", to=story[0]).json
    assert [change["kind"] for change in everything["changes"]] == ["added"]
    assert everything["from"] is None


def test_lines_that_differ(daemon, story) -> None:
    found = daemon.app("GET", "history/text", **{"path": "/story/b.txt", "from": story[0], "to": story[2]}).json
    assert "-line 0\n+line 2" in found["diff"]


def test_an_old_folder_can_be_looked_into_and_restored(daemon, story) -> None:
    then = daemon.app("GET", "files", path="/story", version=story[1]).json
    assert [entry["name"] for entry in then["entries"]] == ["a.txt"]
    restored = daemon.app("POST", "history/restore", {"path": "/story", "version": story[1]})
    assert restored.status == 200
    assert daemon.rpc("files/read", "/story/a.txt").body == b"line one\nline 1\n"
    assert daemon.app("GET", "history", path="/story").json["versions"][0]["version"] == restored.json["version"]
    daemon.app("POST", "files/undo", {"version": story[3], "paths": ["/story"]})


def test_the_chain_verifies(daemon, story) -> None:
    found = daemon.app("GET", "history/verify").json
    assert found["valid"] is True
    assert found["error"] is None
    assert found["versions"] >= len(story)


@pytest.mark.parametrize(
    ("name", "query", "expected"),
    [
        ("history/compare", {"path": "/story", "from": "zzz!"}, "bad-version"),
        ("history/compare", {"path": "/story", "from": "~99"}, "bad-version"),
        ("history", {"path": "story"}, "bad-path"),
        ("files", {"path": "/story", "version": "~99"}, "bad-version"),
    ],
)
def test_versions_that_do_not_exist(daemon, story, name: str, query: dict[str, str], expected: str) -> None:
    answer = daemon.app("GET", name, **query)
    assert answer.json["error"]["code"] == expected
    assert answer.status == 400


def test_restoring_what_never_was(daemon, story) -> None:
    answer = daemon.app("POST", "history/restore", {"path": "/story/b.txt", "version": "~99"})
    assert answer.json["error"]["code"] == "bad-version"
