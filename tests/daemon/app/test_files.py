"""`files/*` of the app API (docs/app-api.md): what the Files page does."""

from __future__ import annotations

import os
import threading

import pytest

from tests.daemon.harness import PATIENCE, Daemon, multipart


@pytest.fixture
def folder(daemon: Daemon, request: pytest.FixtureRequest) -> str:
    """A folder of this test's own."""
    path = f"/{abs(hash(request.node.nodeid)):x}"
    assert daemon.app("POST", "files/mkdir", {"path": path}).status == 200
    return path


def put(daemon: Daemon, path: str, data: bytes = b"x", **query: str):
    return daemon.app("PUT", "files/upload", data, path=path, **query)


def names(daemon: Daemon, path: str, **query: object) -> list[str]:
    return [entry["name"] for entry in daemon.app("GET", "files", path=path, **query).json["entries"]]


def code(answer) -> str:
    return answer.json["error"]["code"]


def versions(daemon: Daemon) -> int:
    return daemon.app("GET", "node").json["counts"]["versions"]


def test_an_uploaded_file_is_listed_described_and_served(daemon, folder) -> None:
    created = put(daemon, f"{folder}/héllo wörld.txt", b"text")
    assert created.status == 201
    assert created.json["version"]
    assert created.json["paths"] == [f"{folder}/héllo wörld.txt"]
    listed = daemon.app("GET", "files", path=folder).json
    assert listed["total"] == 1
    assert listed["next"] is None
    (entry,) = listed["entries"]
    assert entry | {"cid": "", "modified": ""} == {
        "name": "héllo wörld.txt",
        "path": f"{folder}/héllo wörld.txt",
        "kind": "file",
        "size": 4,
        "cid": "",
        "modified": "",
        "mode": None,
        "type": "text/plain",
        "target": None,
    }
    stat = daemon.app("GET", "files/stat", path=entry["path"]).json
    assert stat["cid"] == entry["cid"] == created.json["entries"][0]["cid"]
    assert stat["history"] == 1
    template = daemon.app("GET", "node").json["gateway"]["path"]
    assert template.startswith(f"http://{daemon.gateway}/ipfs/")
    assert daemon.get(daemon.gateway, template.replace("{cid}", entry["cid"]).split(daemon.gateway)[1]).body == b"text"


def test_a_large_file_streams_in(daemon, folder) -> None:
    data = os.urandom(3_000_000)
    created = put(daemon, f"{folder}/big", data)
    assert created.json["size"] == len(data)
    assert daemon.rpc("files/read", f"{folder}/big").body == data


def test_a_dropped_folder_is_one_version_whatever_is_in_it(daemon, folder) -> None:
    before = versions(daemon)
    files = {f"photos/2026/{number}.jpg": bytes([number]) * 2000 for number in range(60)} | {
        "photos/big": os.urandom(700_000)
    }
    body, headers = multipart(files)
    created = daemon.app("POST", "files/upload", body, headers, path=folder)
    assert created.status == 201
    assert created.json["files"] == 61
    assert created.json["paths"] == [f"{folder}/photos"]
    assert versions(daemon) == before + 1
    assert names(daemon, f"{folder}/photos") == ["2026", "big"]
    assert len(names(daemon, f"{folder}/photos/2026")) == 60
    assert daemon.rpc("files/read", f"{folder}/photos/2026/7.jpg").body == bytes([7]) * 2000


def test_folders_merge_and_files_are_replaced(daemon, folder) -> None:
    for files in ({"d/a": b"1", "d/b": b"2"}, {"d/b": b"3", "d/c": b"4"}):
        body, headers = multipart(files)
        assert daemon.app("POST", "files/upload", body, headers, path=folder).status == 201
    assert names(daemon, f"{folder}/d") == ["a", "b", "c"]
    assert daemon.rpc("files/read", f"{folder}/d/b").body == b"3"


def test_empty_folders_and_names_that_browsers_cut(daemon, folder) -> None:
    body = (
        b'--q\r\nContent-Disposition: form-data; name="directory"\r\n\r\nempty/inner\r\n'
        b'--q\r\nContent-Disposition: form-data; name="file:deep%2Fa%2520b.txt"; filename="a%20b.txt"\r\n'
        b"\r\nx\r\n--q--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=q"}
    assert daemon.app("POST", "files/upload", body, headers, path=folder).status == 201
    assert names(daemon, f"{folder}/empty") == ["inner"]
    assert names(daemon, f"{folder}/deep") == ["a%20b.txt"]


@pytest.mark.parametrize(
    "name", ["../up", "a/../../b", "/etc/passwd", "a//b", "", ".", "a/./b", "n\x00l", "x" * 256, "a/.."]
)
def test_names_that_lead_elsewhere_refuse_the_whole_upload(daemon, folder, name: str) -> None:
    body, headers = multipart({"good": b"1", "BAD": b"2"})
    body = body.replace(b"BAD", name.encode("utf-8", "surrogateescape"))
    answer = daemon.app("POST", "files/upload", body, headers, path=folder)
    assert code(answer) in ("bad-path", "bad-request")
    assert answer.status == 400
    assert names(daemon, folder) == []


def test_a_name_that_is_no_utf_8_is_uploaded_as_it_is(daemon, folder) -> None:
    body, headers = multipart({"BAD": b"2"})
    assert daemon.app("POST", "files/upload", body.replace(b"BAD", b"caf\xe9"), headers, path=folder).status == 201
    (entry,) = daemon.app("GET", "files", path=folder).json["entries"]
    assert daemon.app("GET", "files/stat", path=entry["path"]).json["cid"] == entry["cid"]


def test_an_upload_that_breaks_off_changes_nothing(daemon, folder) -> None:
    body, headers = multipart({"a": b"1", "b": b"2"})
    answer = daemon.app("POST", "files/upload", body[:-20], headers, path=folder)
    assert (answer.status, code(answer)) == (400, "bad-request")
    assert names(daemon, folder) == []


@pytest.mark.parametrize(
    ("conflict", "left"), [("replace", ["a.txt"]), ("rename", ["a (2).txt", "a.txt"]), ("fail", ["a.txt"])]
)
def test_what_happens_when_a_name_is_taken(daemon, folder, conflict: str, left: list[str]) -> None:
    put(daemon, f"{folder}/a.txt", b"old")
    answer = put(daemon, f"{folder}/a.txt", b"new", conflict=conflict)
    assert answer.status == (409 if conflict == "fail" else 201)
    if conflict == "fail":
        assert code(answer) == "exists"
    assert sorted(names(daemon, folder)) == left
    assert daemon.rpc("files/read", f"{folder}/a.txt").body == (b"new" if conflict == "replace" else b"old")


def test_the_time_of_a_file_can_be_kept(daemon, folder) -> None:
    sent = daemon.app("PUT", "files/upload", b"x", {"X-Zwerm-Modified": "2020-02-03T04:05:06Z"}, path=f"{folder}/old")
    assert sent.json["entries"][0]["modified"] == "2020-02-03T04:05:06.000Z"


def test_rename_move_copy_and_what_stands_in_the_way(daemon, folder) -> None:
    for name in ("a", "b"):
        put(daemon, f"{folder}/{name}", name.encode())
    daemon.app("POST", "files/mkdir", {"path": f"{folder}/d"})
    before = versions(daemon)
    assert daemon.app("POST", "files/move", {"from": [f"{folder}/a"], "to": f"{folder}/c"}).status == 200
    assert names(daemon, folder) == ["d", "b", "c"]
    moved = daemon.app("POST", "files/move", {"from": [f"{folder}/b", f"{folder}/c"], "to": f"{folder}/d"})
    assert moved.status == 200
    assert names(daemon, f"{folder}/d") == ["b", "c"]
    assert versions(daemon) == before + 2
    assert daemon.app("POST", "files/copy", {"from": [f"{folder}/d/b"], "to": folder}).status == 200
    assert names(daemon, folder) == ["d", "b"]
    taken = daemon.app("POST", "files/move", {"from": [f"{folder}/b"], "to": f"{folder}/d"})
    assert (taken.status, code(taken)) == (409, "exists")
    replaced = daemon.app("POST", "files/move", {"from": [f"{folder}/b"], "to": f"{folder}/d", "replace": True})
    assert replaced.status == 200
    assert names(daemon, folder) == ["d"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"from": ["{}/d"], "to": "{}/d/inside"}, "bad-path"),
        ({"from": ["{}/nothing"], "to": "{}/x"}, "not-found"),
        ({"from": ["{}/f", "{}/g"], "to": "{}/f"}, "not-a-directory"),
        ({"from": [], "to": "/x"}, "bad-request"),
        ({"from": "x", "to": "/x"}, "bad-request"),
        ({"from": ["relative"], "to": "/x"}, "bad-path"),
        ({"to": "/x"}, "bad-request"),
    ],
)
def test_moves_that_cannot_be(daemon, folder, body: dict, expected: str) -> None:
    daemon.app("POST", "files/mkdir", {"path": f"{folder}/d"})
    put(daemon, f"{folder}/f")
    put(daemon, f"{folder}/g")
    before = names(daemon, folder)
    filled = {
        key: [item.format(folder) for item in value] if isinstance(value, list) else value.format(folder)
        for key, value in body.items()
    }
    answer = daemon.app("POST", "files/move", filled)
    assert code(answer) == expected
    assert names(daemon, folder) == before


def test_a_deletion_can_be_undone(daemon, folder) -> None:
    put(daemon, f"{folder}/a", b"keep me")
    daemon.app("POST", "files/mkdir", {"path": f"{folder}/d"})
    put(daemon, f"{folder}/d/b")
    deleted = daemon.app("POST", "files/delete", {"paths": [f"{folder}/a", f"{folder}/d"]})
    assert deleted.status == 200
    assert names(daemon, folder) == []
    back = daemon.app("POST", "files/undo", {"version": deleted.json["undo"], "paths": deleted.json["paths"]})
    assert back.status == 200
    assert names(daemon, folder) == ["d", "a"]
    assert daemon.rpc("files/read", f"{folder}/a").body == b"keep me"
    assert code(daemon.app("POST", "files/delete", {"paths": ["/"]})) == "bad-path"
    assert code(daemon.app("POST", "files/delete", {"paths": [f"{folder}/none"]})) == "not-found"


def test_undoing_an_upload_removes_it(daemon, folder) -> None:
    before = daemon.app("GET", "history").json["versions"][0]["version"]
    put(daemon, f"{folder}/late")
    assert daemon.app("POST", "files/undo", {"version": before, "paths": [f"{folder}/late"]}).status == 200
    assert names(daemon, folder) == []


def test_sorting_is_what_people_expect(daemon, folder) -> None:
    body, headers = multipart({"10.txt": b"1", "2.txt": b"22", "Ähre": b"", "apfel": b"333", "z/inside": b"4"})
    daemon.app("POST", "files/upload", body, headers, path=folder)
    assert names(daemon, folder) == ["z", "2.txt", "10.txt", "Ähre", "apfel"]
    assert names(daemon, folder, order="desc") == ["z", "apfel", "Ähre", "10.txt", "2.txt"]
    assert names(daemon, folder, sort="size") == ["z", "Ähre", "10.txt", "2.txt", "apfel"]
    assert code(daemon.app("GET", "files", path=folder, sort="colour")) == "bad-request"


def test_pages_cover_everything_once(daemon, folder) -> None:
    body, headers = multipart({f"{number:03}": b"" for number in range(25)})
    daemon.app("POST", "files/upload", body, headers, path=folder)
    found, after = [], {}
    while True:
        page = daemon.app("GET", "files", path=folder, limit=10, **after).json
        found += [entry["name"] for entry in page["entries"]]
        assert page["total"] == 25
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found == [f"{number:03}" for number in range(25)]


def test_search_finds_names_below(daemon, folder) -> None:
    body, headers = multipart({"a/Résumé 2026.pdf": b"", "a/b/resume draft.txt": b"", "other": b""})
    daemon.app("POST", "files/upload", body, headers, path=folder)
    found = daemon.app("GET", "files/search", q="RESUME", path=folder).json
    assert found["complete"] is True
    assert {entry["path"] for entry in found["entries"]} == {
        f"{folder}/a/Résumé 2026.pdf",
        f"{folder}/a/b/resume draft.txt",
    }
    assert len(daemon.app("GET", "files/search", q="resume draft", path=folder).json["entries"]) == 1
    limited = daemon.app("GET", "files/search", q="e", path=folder, limit=1).json
    assert (len(limited["entries"]), limited["complete"]) == (1, False)


def test_content_with_a_cid_can_be_kept_among_the_files(daemon, folder) -> None:
    cid = daemon.add(b"from elsewhere", pin=False)
    assert daemon.app("POST", "files/keep", {"path": f"/ipfs/{cid}", "to": f"{folder}/mine"}).status == 200
    assert daemon.rpc("files/read", f"{folder}/mine").body == b"from elsewhere"
    unknown = "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
    assert code(daemon.app("POST", "files/keep", {"path": unknown, "to": f"{folder}/x"})) == "fetch-nobody"
    assert code(daemon.app("POST", "files/keep", {"path": "bafyNoCid", "to": f"{folder}/x"})) == "bad-request"


@pytest.mark.parametrize(
    ("method", "name", "query", "expected"),
    [
        ("GET", "files", {"path": "/nothing/here"}, "not-found"),
        ("GET", "files", {"path": "no slash"}, "bad-path"),
        ("GET", "files", {"path": "/", "after": "x"}, "bad-request"),
        ("GET", "files", {"path": "/", "limit": "many"}, "bad-request"),
        ("GET", "files", {"path": "/", "version": "!"}, "bad-version"),
        ("GET", "files/stat", {}, "bad-request"),
        ("GET", "files/nothing", {}, "not-found"),
        ("DELETE", "files", {}, "method"),
        ("PUT", "files/upload", {"path": "/"}, "bad-path"),
        ("PUT", "files/upload", {"path": "/a/"}, "bad-path"),
        ("POST", "files/upload", {"path": "/"}, "bad-request"),
        ("POST", "files/mkdir", {}, "bad-request"),
    ],
)
def test_wrong_requests_are_told_in_words(daemon, method: str, name: str, query: dict, expected: str) -> None:
    answer = daemon.app(method, name, b"", **query)
    assert code(answer) == expected
    error = answer.json["error"]
    assert error["what"].endswith((".", "?"))
    assert error["what"][0].isupper() or not error["what"][0].isalpha()


@pytest.mark.parametrize("body", [b"{", b"[1]", b"nul", b"[" * 100_000, b"\xff"])
def test_broken_json_is_told(daemon, body: bytes) -> None:
    answer = daemon.app("POST", "files/mkdir", body)
    assert (answer.status, code(answer)) == (400, "bad-request")


def test_endless_json_is_cut_off(daemon) -> None:
    answer = daemon.app("POST", "files/mkdir", b'{"path": "' + b"a" * 1_100_000)
    assert (answer.status, code(answer)) == (413, "too-large")


def test_uploads_at_once_all_arrive(daemon, folder) -> None:
    results: list[int] = []

    def upload(number: int) -> None:
        results.append(put(daemon, f"{folder}/{number}", os.urandom(400_000)).status)

    uploads = [threading.Thread(target=upload, args=(number,)) for number in range(8)]
    for thread in uploads:
        thread.start()
    for thread in uploads:
        thread.join(PATIENCE)
    assert results == [201] * 8
    assert len(names(daemon, folder)) == 8


def test_very_many_names_are_merged_into_a_folder_at_once(daemon, folder) -> None:
    put(daemon, f"{folder}/5", b"old")
    put(daemon, f"{folder}/kept", b"kept")
    before = versions(daemon)
    body, headers = multipart({str(number): b"new" for number in range(300)} | {"sub/a": b"1"})
    assert daemon.app("POST", "files/upload", body, headers, path=folder).status == 201
    assert versions(daemon) == before + 1
    found = set(names(daemon, folder, limit=1000))
    assert found == {str(number) for number in range(300)} | {"kept", "sub"}
    assert daemon.rpc("files/read", f"{folder}/5").body == b"new"
    assert daemon.rpc("files/read", f"{folder}/kept").body == b"kept"


def test_a_name_cannot_be_a_file_and_a_folder(daemon, folder) -> None:
    for files in ({"a": b"1", "a/b": b"2"}, {"a/b": b"2", "a": b"1"}):
        body, headers = multipart(files)
        answer = daemon.app("POST", "files/upload", body, headers, path=folder)
        assert code(answer) == "bad-path"
    assert names(daemon, folder) == []


def test_folders_merge_several_levels_deep_and_replace_files_in_the_way(daemon, folder) -> None:
    for files in ({"d/e/f/1": b"1", "d/e/x": b"file"}, {"d/e/f/2": b"2", "d/e/x/now": b"folder"}):
        body, headers = multipart(files)
        assert daemon.app("POST", "files/upload", body, headers, path=folder).status == 201
    assert names(daemon, f"{folder}/d/e") == ["f", "x"]
    assert names(daemon, f"{folder}/d/e/f") == ["1", "2"]
    assert names(daemon, f"{folder}/d/e/x") == ["now"]


def test_a_large_folder_is_listed_page_by_page_in_its_own_order(daemon, folder) -> None:
    body, headers = multipart({f"n{number}": b"" for number in range(11_000)})
    assert daemon.app("POST", "files/upload", body, headers, path=f"{folder}/large").status == 201
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = daemon.app("GET", "files", path=f"{folder}/large", limit=1000, **after).json
        assert (page["sorted"], page["total"]) == (False, None)
        found += [entry["name"] for entry in page["entries"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert sorted(found) == sorted(f"n{number}" for number in range(11_000))
