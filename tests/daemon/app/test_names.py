"""`names`: publishing, what is said of a name, pointing back, and withdrawing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.daemon.harness import Daemon


def named(daemon: Daemon, key: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = daemon.app("GET", "names").json["names"]
    return next(row for row in rows if row["key"] == key)


def test_a_name_is_made_published_moved_and_withdrawn(daemon: Daemon) -> None:
    first, second = (f"/ipfs/{daemon.add(data)}" for data in (b"one", b"two"))
    made = daemon.app("POST", "names/publish", {"key": "blog", "path": f" {first} "})
    assert (made.status, made.json["path"]) == (200, first)
    row = named(daemon, "blog")
    assert row["name"] == made.json["name"]
    assert row["published"]["path"] == first
    assert row["published"]["sequence"] == "0"
    assert row["published"]["signed"] < row["published"]["ends"]
    assert row["link"].endswith(f"/ipns/{row['name']}")
    assert daemon.get(daemon.gateway, f"/ipns/{row['name']}").body == b"one"
    daemon.app("POST", "names/publish", {"key": "blog", "path": second})
    row = named(daemon, "blog")
    assert [line["path"] for line in row["history"]] == [second, first]
    assert daemon.app("POST", "names/withdraw", {"key": "blog"}).json == {"key": "blog"}
    assert daemon.app("POST", "names/withdraw", {"key": "blog"}).status == 404
    assert named(daemon, "blog") == {"key": "blog", "name": row["name"], "published": None, "history": []}


def test_the_nodes_own_name_is_listed_before_anything_is_published(daemon: Daemon) -> None:
    assert named(daemon, "self")["name"].startswith("k51")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"key": "x", "path": "nonsense"}, 400),
        ({"key": "x", "path": "/no/such/file"}, 404),
        ({"key": "", "path": "/ipfs/bafkqaaa"}, 400),
        ({"key": "a/b", "path": "/ipfs/bafkqaaa"}, 400),
        ({"path": "/ipfs/bafkqaaa"}, 400),
    ],
    ids=["no path", "no such file", "no key", "no name of a key", "nothing said"],
)
def test_what_cannot_be_published_is_refused(daemon: Daemon, body: dict[str, str], status: int) -> None:
    assert daemon.app("POST", "names/publish", body).status == status
    assert daemon.app("POST", "names/withdraw", {"key": "nobody"}).status == 404
