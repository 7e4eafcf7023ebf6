"""`repo`, `pins`, `jobs`, `explore`, `share`, `settings`, `node` and `events` of the app API."""

from __future__ import annotations

import json
import os
import threading
import xml.etree.ElementTree as ET

import pytest

from tests.daemon.harness import PATIENCE


def code(answer) -> str:
    return answer.json["error"]["code"]


def run_job(daemon, kind: str) -> dict:
    started = daemon.app("POST", "jobs", {"kind": kind})
    assert started.status == 202
    job = started.json
    while job["state"] == "running":
        job = daemon.app("GET", f"jobs/{job['id']}").json
    return job


class Listener:
    """Reads the event stream."""

    def __init__(self, daemon, last: int | None = None) -> None:
        self.connection = daemon.connection(daemon.web)
        headers = {"X-Zwerm-Token": daemon.token()} | ({"Last-Event-ID": str(last)} if last is not None else {})
        self.connection.request("GET", "/api/app/events", headers=headers)
        self.stream = self.connection.getresponse()
        assert self.stream.status == 200
        assert self.stream.headers["Content-Type"] == "text/event-stream"

    def next(self, *wanted: str) -> tuple[int, str, dict]:
        """Return the next event of the wanted kinds."""
        number, name, data = -1, "", {}
        for raw in self.stream:
            line = raw.decode().rstrip("\n")
            key, _, value = line.partition(": ")
            if key == "id":
                number = int(value)
            elif key == "event":
                name = value
            elif key == "data":
                data = json.loads(value)
            elif not line and name and (not wanted or name in wanted):
                return number, name, data
        raise AssertionError("the stream ended")

    def close(self) -> None:
        self.stream.close()
        self.connection.close()


@pytest.fixture
def listener(daemon):
    listening = Listener(daemon)
    yield listening
    listening.close()


def test_the_summary_says_what_the_node_is(daemon) -> None:
    node = daemon.app("GET", "node").json
    assert node["peer_id"].startswith("12D3KooW")
    assert node["state"] == "ready"
    assert node["profile"] == "test"
    assert node["addresses"]["gateway"] == daemon.gateway
    assert node["gateway"]["subdomain"].startswith("http://{cid}.ipfs.localhost:")
    assert {"add", "files/write", "repo/gc"} <= set(node["commands"])
    assert node["size"]["disk"] > 0
    assert node["counts"].keys() == {"files", "directories", "pins", "blocks", "versions"}


def test_files_are_counted(daemon) -> None:
    before = daemon.app("GET", "node").json["counts"]
    daemon.app("PUT", "files/upload", b"1", path="/counted/deep/file")
    after = daemon.app("GET", "node").json["counts"]
    assert after["files"] == before["files"] + 1
    assert after["directories"] == before["directories"] + 2
    assert after["versions"] == before["versions"] + 1


def test_changes_are_told_as_they_happen(daemon, listener) -> None:
    assert listener.next()[1] == "hello"
    made = daemon.app("PUT", "files/upload", b"news", path="/told").json
    number, _, event = listener.next("files")
    assert (event["version"], event["root"], event["origin"]) == (made["version"], made["root"], "web")
    assert "/told" in event["paths"]
    daemon.rpc("files/mkdir", "/by-rpc")
    _, _, event = listener.next("files")
    assert (event["paths"], event["origin"]) == (["/by-rpc"], "rpc")
    late = Listener(daemon, last=number)
    assert late.next()[1] == "hello"
    assert late.next("files")[2]["paths"] == ["/by-rpc"]
    late.close()
    lost = Listener(daemon, last=10_000_000)
    assert [lost.next()[1], lost.next()[1]] == ["hello", "reset"]
    lost.close()


def test_pins_are_listed_added_and_removed(daemon, listener) -> None:
    cid = daemon.add(b"pin me", pin=False)
    added = daemon.app("POST", "pins", {"cid": cid, "name": "mine"})
    assert (added.status, added.json["pin"]) == (201, {"cid": cid, "kind": "recursive", "name": "mine"})
    assert listener.next("pins")[2] == {"cid": cid, "kind": "recursive"}
    listed = daemon.app("GET", "pins", kind="recursive", q="mine").json["pins"]
    assert listed == [{"cid": cid, "kind": "recursive", "name": "mine"}]
    assert daemon.app("DELETE", "pins", cid=cid).json["pin"]["name"] == "mine"
    assert code(daemon.app("DELETE", "pins", cid=cid)) == "not-found"
    assert code(daemon.app("POST", "pins", {"cid": "nonsense"})) == "bad-cid"
    assert code(daemon.app("POST", "pins", {"path": "/nothing"})) == "not-found"
    page = daemon.app("GET", "pins", limit=1).json
    assert len(page["pins"]) <= 1


def test_what_other_clients_change_is_told_too(daemon, listener) -> None:
    """The RPC, Kubo's programs and the command line: whoever changes something is seen."""
    cid = daemon.add(b"somebody adds this")
    assert listener.next("pins")[2] == {"cid": cid, "kind": "recursive"}
    daemon.rpc("pin/rm", cid)
    assert listener.next("pins")[2] == {"cid": cid, "kind": None}
    assert daemon.rpc("files/write", "/written-by-rpc", files={"data": b"x"}, create=True).status == 200
    told = listener.next("files")[2]
    assert (told["paths"], told["origin"]) == (["/written-by-rpc"], "rpc")
    run_job(daemon, "measure")
    daemon.rpc("repo/gc")
    assert listener.next("collected")[2]["blocks"] >= 1
    assert daemon.app("GET", "repo").json["kinds"] is None


def test_what_nothing_keeps_is_measured_collected_and_verified_gone(daemon, listener) -> None:
    kept = daemon.add(os.urandom(300_000))
    daemon.app("PUT", "files/upload", os.urandom(200_000), path="/kept-file")
    unused = daemon.add(os.urandom(700_000), pin=False)
    measured = run_job(daemon, "measure")
    assert measured["state"] == "done"
    kinds = {kind["kind"]: kind for kind in measured["result"]}
    assert kinds["files"]["bytes"] >= 200_000
    assert kinds["pins"]["bytes"] >= 300_000
    assert kinds["unused"]["bytes"] >= 700_000
    assert daemon.app("GET", "repo").json["kinds"] == measured["result"]

    job = run_job(daemon, "gc")
    assert job["state"] == "done"
    assert job["result"]["bytes"] >= 700_000
    assert listener.next("job")[2]["kind"] == "measure"
    repo = daemon.app("GET", "repo").json
    assert repo["kinds"] is None
    assert repo["free"] > 0
    assert daemon.rpc("block/stat", unused).status == 500
    assert daemon.rpc("cat", kept).status == 200

    verified = run_job(daemon, "verify")
    assert verified["result"] == {"blocks": repo["blocks"], "damaged": [], "index": []}
    assert daemon.app("GET", "jobs").json["jobs"][0]["kind"] == "verify"


def test_jobs_can_be_stopped_and_run_one_of_a_kind(daemon) -> None:
    daemon.add(os.urandom(3_000_000))
    job = daemon.app("POST", "jobs", {"kind": "verify"}).json
    second = daemon.app("POST", "jobs", {"kind": "verify"})
    if second.status != 202:
        assert (second.status, code(second), second.json["error"]["details"]) == (409, "busy", job["id"])
    stopped = daemon.app("DELETE", f"jobs/{job['id']}").json
    assert stopped["state"] in ("stopped", "done")
    assert code(daemon.app("POST", "jobs", {"kind": "dance"})) == "bad-request"
    assert code(daemon.app("GET", "jobs/999")) == "not-found"


def test_any_cid_can_be_explored(daemon) -> None:
    data = os.urandom(600_000)
    root = daemon.add(data)
    found = daemon.app("GET", "explore", path=root, limit=2).json
    assert (found["kind"], found["codec"], found["hash"], found["version"]) == ("file", "dag-pb", "sha2-256", 1)
    assert found["content_size"] == len(data)
    assert (found["links_total"], len(found["links"]), found["next"]) == (3, 2, "2")
    assert all(link["here"] for link in found["links"])
    assert found["pinned"] == "recursive"
    assert found["cid_v0"].startswith("Qm")
    leaf = found["links"][0]["cid"]
    assert daemon.app("GET", "explore", path=leaf).json["pinned"] == "indirect"
    part = daemon.app("GET", "explore/bytes", cid=leaf, offset=10, length=20)
    assert part.body == data[10:30]
    assert part.headers["x-zwerm-size"] == "262144"
    drawn = daemon.app("GET", "explore/outline", cid=root).json
    assert drawn["nodes"][0]["cid"] == root
    assert drawn["edges"] == [[0, 1], [0, 2], [0, 3]]
    assert drawn["truncated"] is False
    assert daemon.app("GET", "explore/outline", cid=root, depth=0).json["truncated"] is True
    assert len(daemon.app("GET", "explore/outline", cid=root, nodes=2).json["nodes"]) == 2


def test_documents_are_shown_as_json_with_their_links(daemon) -> None:
    leaf = daemon.add(b"leaf")
    document = json.dumps({"name": "x", "parts": [{"/": leaf}], "n": 1}).encode()
    put = daemon.rpc("dag/put", files={"object data": document})
    cid = put.json["Cid"]["/"]
    found = daemon.app("GET", "explore", path=f"/ipfs/{cid}").json
    assert (found["kind"], found["codec"]) == ("node", "dag-cbor")
    assert found["value"] == {"n": 1, "name": "x", "parts": [{"/": leaf}]}
    assert found["links"] == [{"name": "parts/0", "cid": leaf, "size": None, "here": True}]
    inside = daemon.app("GET", "explore", path=f"{cid}/name").json
    assert (inside["cid"], inside["remainder"]) == (cid, "name")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi", "fetch-nobody"),
        ("QmNotACid", "bad-cid"),
        ("http://example.org", "bad-cid"),
        ("/files/that/are/not", "not-found"),
    ],
)
def test_what_cannot_be_explored_is_said(daemon, path: str, expected: str) -> None:
    assert code(daemon.app("GET", "explore", path=path)) == expected


def test_a_share_link_and_its_code(daemon) -> None:
    daemon.app("PUT", "files/upload", b"shared", path="/share me.txt")
    shared = daemon.app("GET", "share", path="/share me.txt").json
    links = shared["links"]
    assert links["ipfs"] == f"ipfs://{shared['cid']}"
    assert links["path"] == f"http://{daemon.gateway}/ipfs/{shared['cid']}?filename=share%20me.txt"
    assert links["public"] is None
    path = links["path"].removeprefix(f"http://{daemon.gateway}")
    assert daemon.get(daemon.gateway, path).body == b"shared"
    drawn = daemon.app("GET", "qr", text=links["ipfs"])
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert ET.fromstring(drawn.body).tag.endswith("svg")
    assert code(daemon.app("GET", "qr", text="x" * 1001)) == "bad-request"
    by_cid = daemon.app("GET", "share", cid=shared["cid"], name="n").json
    assert by_cid["kind"] == "file"


def test_settings_are_listed_changed_and_refused(daemon) -> None:
    listed = {item["key"]: item for item in daemon.app("GET", "settings").json["settings"]}
    assert listed["log.level"]["choices"] == ["debug", "info", "warning", "error"]
    assert listed["storage.max"]["type"] == "size"
    assert all(item["doc"] for item in listed.values())
    wrong = daemon.app("PUT", "settings", {"log.level": "loud", "no.such": 1, "storage.max": "10GB"})
    assert (wrong.status, code(wrong)) == (422, "invalid-settings")
    assert set(wrong.json["error"]["details"]) == {"log.level", "no.such"}
    config = daemon.path / "config.toml"
    before = config.read_text()
    changed = daemon.app("PUT", "settings", {"gateway.public": "https://example.org/"}).json
    assert changed["restart_needed"] is False
    assert 'public = "https://example.org/"' in config.read_text()
    links = daemon.app("GET", "share", cid=daemon.add(b"public")).json["links"]
    assert links["public"].startswith("https://example.org/ipfs/")
    changed = daemon.app("PUT", "settings", {"gateway.public": None, "log.format": "json"}).json
    assert changed["restart_needed"] is True
    daemon.app("PUT", "settings", {"log.format": None})
    assert before.splitlines()[:2] == config.read_text().splitlines()[:2]
    refused = daemon.app("PUT", "settings", {"bootstrap": ["/ip4/192.0.2.1/tcp/4001"]})
    assert code(refused) == "invalid-settings"


def test_uploads_are_told_while_they_run(daemon, listener) -> None:
    data = os.urandom(4_000_000)
    upload = threading.Thread(target=lambda: daemon.app("PUT", "files/upload", data, path="/transfer"))
    upload.start()
    _, _, event = listener.next("transfer")
    while event["state"] == "running":
        _, _, event = listener.next("transfer")
    assert (event["state"], event["direction"], event["name"]) == ("done", "in", "transfer")
    assert event["done"] == event["total"] == len(data)
    upload.join(PATIENCE)


def test_uploads_by_rpc_are_told_too(daemon, listener) -> None:
    data = os.urandom(2_000_000)
    daemon.rpc("add", files={"by-rpc": data})
    _, _, event = listener.next("transfer")
    while event["state"] == "running":
        _, _, event = listener.next("transfer")
    assert (event["state"], event["name"]) == ("done", "by-rpc")
