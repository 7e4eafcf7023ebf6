"""Kubo's HTTP API: methods, errors, streams, uploads, and who may use it."""

from __future__ import annotations

import json
import os
import re
import socket
import threading

import pytest

from tests.daemon.harness import multipart, raw_request


def test_a_document_is_json_with_a_length(daemon) -> None:
    answer = daemon.rpc("version")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["vary"] == "Origin"
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert "Version" in answer.json


def test_a_stream_of_documents_is_lines_of_json(daemon) -> None:
    answer = daemon.rpc("add", files={"a": b"1", "b": b"2"}, wrap_with_directory=True)
    assert answer.headers["x-chunked-output"] == "1"
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.headers["trailer"] == "X-Stream-Error"
    assert {line["Name"] for line in answer.lines} == {"a", "b", ""}


def test_bytes_say_so_and_are_never_rendered(daemon) -> None:
    cid = daemon.add(b"<script>alert(1)</script>")
    answer = daemon.rpc("cat", cid)
    assert answer.body == b"<script>alert(1)</script>"
    assert answer.headers["x-stream-output"] == "1"
    assert answer.headers["x-content-length"] == str(len(answer.body))
    assert answer.headers["content-type"] == "text/plain"


def test_nothing_to_say_is_an_empty_answer(daemon) -> None:
    answer = daemon.rpc("files/mkdir", "/empty-answer")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH"])
def test_only_post_is_allowed(daemon, method: str) -> None:
    answer = daemon.request(method, daemon.api, "/api/v0/version")
    assert answer.status == 405
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize(
    "path", ["/api/v0/nothing", "/api/v0/", "/api/v0/files/nothing", "/elsewhere", "/api/v1/version"]
)
def test_what_is_not_there_is_404(daemon, path: str) -> None:
    assert daemon.request("POST", daemon.api, path).status == 404


def test_a_failed_command_says_why_as_kubo_does(daemon) -> None:
    answer = daemon.rpc("cat", "/ipfs/QmNotACid")
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/json"
    assert answer.json.keys() == {"Message", "Code", "Type"}
    assert (answer.json["Code"], answer.json["Type"]) == (0, "error")


def test_a_request_that_makes_no_sense_is_400_in_plain_text(daemon) -> None:
    for answer in (daemon.rpc("cat"), daemon.rpc("add"), daemon.rpc("version", all="perhaps")):
        assert answer.status == 400
        assert answer.headers["content-type"].startswith("text/plain")


def test_an_error_in_the_middle_of_a_stream_is_in_the_trailer(daemon) -> None:
    data = os.urandom(600_000)
    root = daemon.add(data, pin=False)
    leaf = daemon.rpc("refs", root).lines[1]["Ref"]
    assert daemon.rpc("block/rm", leaf).status == 200
    request = f"POST /api/v0/cat?arg={root} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    answer = raw_request(daemon.api, f"{request}TE: trailers\r\n\r\n".encode())
    cut = raw_request(daemon.api, f"{request}\r\n".encode())  # who does not look at trailers must not see an end
    assert cut.startswith(b"HTTP/1.1 200 ")
    assert not cut.endswith(b"\r\n0\r\n\r\n")
    assert b"X-Stream-Error: " not in cut.partition(b"\r\n\r\n")[2]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"Trailer: X-Stream-Error" in head
    last = body[body.rindex(b"\r\n0\r\n") :]
    assert last.startswith(b"\r\n0\r\nX-Stream-Error: ")
    assert leaf.encode() in last
    assert last.endswith(b"\r\n\r\n")


def test_http_1_0_gets_the_whole_answer_and_then_the_end(daemon) -> None:
    cid = daemon.add(b"old but fine")
    answer = raw_request(daemon.api, f"POST /api/v0/cat?arg={cid} HTTP/1.0\r\n\r\n".encode())
    assert answer.endswith(b"\r\n\r\nold but fine")
    assert b"chunked" not in answer


def test_requests_in_a_row_on_one_connection(daemon) -> None:
    connection = daemon.connection(daemon.api)
    for _ in range(3):
        for path, status in (("version", 200), ("nothing", 404), ("cat", 400)):
            connection.request("POST", f"/api/v0/{path}")
            response = connection.getresponse()
            assert (response.status, response.will_close) == (status, False)
            response.read()
    connection.close()


def test_pipelined_requests_are_answered_in_order(daemon) -> None:
    request = b"POST /api/v0/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n%s\r\n"
    answer = raw_request(
        daemon.api,
        request % (b"version", b"") + request % (b"nothing", b"") + request % (b"id", b"Connection: close\r\n"),
    )
    assert re.findall(rb"HTTP/1\.1 (\d+) ", answer) == [b"200", b"404", b"200"]


def test_an_upload_of_unknown_length_is_streamed(daemon) -> None:
    data = os.urandom(1_500_000)
    body, headers = multipart({"stream": data})
    answer = daemon.request(
        "POST", daemon.api, "/api/v0/add?cid-version=1", iter([body[:700_000], body[700_000:]]), headers
    )
    assert daemon.rpc("cat", answer.lines[-1]["Hash"]).body == data


@pytest.mark.parametrize(
    "body",
    [
        b"not multipart at all",
        b"--zwermtest\r\nContent-Disposition: form-data; name=file\r\n\r\nbroken off",
        b"--zwermtest\r\nContent-Disposition: surprise\r\n\r\n\r\n--zwermtest--\r\n",
        b"--zwermtest\r\nX: " + b"y" * 20_000 + b"\r\n\r\n--zwermtest--\r\n",
        b"",
    ],
    ids=["other text", "broken off", "no form-data", "long header", "empty"],
)
def test_broken_multipart_is_said_and_the_daemon_goes_on(daemon, body: bytes) -> None:
    answer = daemon.request(
        "POST", daemon.api, "/api/v0/add", body, {"Content-Type": "multipart/form-data; boundary=zwermtest"}
    )
    assert answer.status in (400, 500)
    assert answer.body
    assert daemon.rpc("version").status == 200


def test_multipart_without_a_boundary_is_said(daemon) -> None:
    answer = daemon.request("POST", daemon.api, "/api/v0/add", b"", {"Content-Type": "multipart/form-data"})
    assert answer.status in (400, 500)
    assert b"boundary" in answer.body


def test_endless_multipart_to_a_command_that_failed_is_cut_off(daemon) -> None:
    host, _, port = daemon.api.rpartition(":")
    with socket.create_connection((host, int(port)), 20) as connection:
        connection.sendall(
            b"POST /api/v0/add?chunker=nonsense HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        )
        stop = threading.Event()

        def pour() -> None:
            try:
                while not stop.is_set():
                    connection.sendall(b"4\r\nabcd\r\n" * 1000)
            except OSError:
                return

        pouring = threading.Thread(target=pour)
        pouring.start()
        answer = b""
        try:
            while chunk := connection.recv(65_536):
                answer += chunk
        except ConnectionResetError:
            pass
        stop.set()
        pouring.join(20)
    assert answer.startswith((b"HTTP/1.1 500", b"HTTP/1.1 400"))


def test_endless_headers_and_lines_are_refused(daemon) -> None:
    for data in (b"POST /" + b"a" * 100_000, b"POST / HTTP/1.1\r\n" + b"A: b\r\n" * 500 + b"\r\n"):
        try:
            assert raw_request(daemon.api, data)[9:12] == b"400"
        except ConnectionResetError:
            continue
    assert daemon.rpc("version").status == 200


def test_too_many_parameters_are_refused(daemon) -> None:
    assert daemon.request("POST", daemon.api, "/api/v0/version?" + "a=b&" * 1100).status in (400, 413, 500)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b", "..", "a/./b"])
def test_names_in_an_upload_never_lead_out(daemon, name: str) -> None:
    answer = daemon.rpc("add", files={name: b"x"}, wrap_with_directory=True)
    if answer.status == 200 and "x-stream-error" not in answer.headers:
        for line in answer.lines:
            assert ".." not in line["Name"].split("/")
            assert not line["Name"].startswith("/")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example:5001"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Referer": "http://evil.example/page"}, 403),
        ({"User-Agent": "Mozilla/5.0 (X11)"}, 403),
        ({"Origin": "null"}, 403),
        ({"User-Agent": "curl/8.0"}, 200),
        ({"Host": "localhost:1234"}, 200),
    ],
)
def test_other_pages_and_rebound_names_are_refused(daemon, headers: dict[str, str], status: int) -> None:
    assert daemon.request("POST", daemon.api, "/api/v0/version", headers=headers).status == status


def test_its_own_origin_is_allowed_and_told_so(daemon) -> None:
    origin = f"http://{daemon.api}"
    answer = daemon.request("POST", daemon.api, "/api/v0/version", headers={"Origin": origin})
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert "X-Stream-Output" in answer.headers["access-control-expose-headers"]


def test_origins_can_be_allowed_while_it_runs(daemon) -> None:
    asked = {"Origin": "http://pages.example", "Access-Control-Request-Method": "POST"}
    assert daemon.request("OPTIONS", daemon.api, "/api/v0/version", headers=asked).status == 403
    assert daemon.app("PUT", "settings", {"api.cors": ["http://pages.example"]}).status == 200
    answer = daemon.request("OPTIONS", daemon.api, "/api/v0/version", headers=asked)
    assert answer.status == 204
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert daemon.request("POST", daemon.api, "/api/v0/version", headers=asked).status == 200
    assert daemon.app("PUT", "settings", {"api.cors": None}).status == 200


def test_a_secret_can_be_asked_for(daemon) -> None:
    assert daemon.app("PUT", "settings", {"api.token": "s3cret"}).status == 200
    try:
        assert daemon.rpc("version").status == 403
        wrong = {"Authorization": "Bearer other"}
        assert daemon.request("POST", daemon.api, "/api/v0/version", headers=wrong).status == 403
        right = {"Authorization": "Bearer s3cret"}
        assert daemon.request("POST", daemon.api, "/api/v0/version", headers=right).status == 200
        assert daemon.get(daemon.api, "/metrics").status == 403
        shown = {item["key"]: item["value"] for item in daemon.app("GET", "settings").json["settings"]}
        assert shown["api.token"] == "********"
    finally:
        assert daemon.app("PUT", "settings", {"api.token": None}).status == 200


def test_metrics_are_prometheus_text(daemon) -> None:
    daemon.add(b"counted")
    answer = daemon.get(daemon.api, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families: dict[str, str] = {}
    for line in answer.body.decode().splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            families[name] = kind
        elif not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            base = name.partition("{")[0]
            assert any(base.startswith(family) for family in families)
            float(value)
    assert families["zwerm_blocks"] == "gauge"
    assert families["zwerm_http_requests_total"] == "counter"
    assert b'zwerm_http_requests_total{listener="api",status="200"}' in answer.body
    assert daemon.get(daemon.api, "/debug/metrics/prometheus").status == 200
    assert daemon.get(daemon.web, "/metrics", Origin="http://evil.example").status == 403


@pytest.mark.parametrize("hosts", [b"", b"Host: localhost\r\nHost: localhost\r\n"], ids=["none", "two"])
def test_http_1_1_needs_one_host_header(daemon, hosts: bytes) -> None:
    answer = raw_request(daemon.api, b"POST /api/v0/version HTTP/1.1\r\n" + hosts + b"Connection: close\r\n\r\n")
    assert answer[8:13] == b" 400 "


def test_a_client_that_waits_to_send_its_body_is_told_to_go_on(daemon) -> None:
    """RFC 9110 section 10.1.1: 100 (Continue), or a final status at once."""
    host, _, port = daemon.api.rpartition(":")
    body, headers = multipart({"data": b"after the go-ahead"})
    head = f"Host: localhost\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n"
    head += f"Content-Type: {headers['Content-Type']}\r\n\r\n"
    with socket.create_connection((host, int(port)), 20) as connection:
        connection.sendall(f"POST /api/v0/block/put HTTP/1.1\r\n{head}".encode())
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
    with socket.create_connection((host, int(port)), 20) as connection:
        connection.sendall(f"POST /api/v0/nothing HTTP/1.1\r\n{head}".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 404 ")


def test_text_is_what_the_command_line_prints(daemon) -> None:
    added = daemon.rpc("add", files={"a file": b"text"}, encoding="text", cid_version=1)
    cid = added.body.split()[1].decode()
    assert added.body.decode() == f"added {cid} a file\n"
    assert (added.status, added.headers["content-type"]) == (200, "text/plain")
    assert daemon.rpc("pin/ls", cid, encoding="text").body.decode() == f"{cid} recursive\n"
    assert daemon.rpc("pin/ls", cid, enc="text", quiet=True).body.decode() == f"{cid}\n"
    assert daemon.rpc("cat", cid, encoding="text").body == b"text"
    assert daemon.rpc("files/mkdir", "/as-text", encoding="text").body == b""
    assert daemon.rpc("config", "storage.max", encoding="text").body.strip().isalnum()
    assert daemon.rpc("block/rm", cid, encoding="text").body.decode().startswith(f"cannot remove {cid}: ")


def test_what_prints_nothing_of_its_own_is_json_for_people(daemon) -> None:
    text = daemon.rpc("config/show", encoding="text").body.decode()
    assert text.startswith('{\n  "')
    assert json.loads(text) == daemon.rpc("config/show").json


@pytest.mark.parametrize("encoding", ["xml", "protobuf", ""])
def test_other_encodings_are_refused(daemon, encoding: str) -> None:
    answer = daemon.rpc("version", encoding=encoding)
    assert (answer.status, answer.body) == (400, f"invalid encoding: {encoding}; expected json or text\n".encode())


def test_a_failure_is_text_too(daemon) -> None:
    answer = daemon.rpc("files/stat", "/not-there", encoding="text")
    assert (answer.status, answer.headers["content-type"]) == (500, "text/plain; charset=utf-8")
    assert answer.body == b"Error: file does not exist\n"


def test_text_comes_while_the_command_goes_on_and_may_be_left(daemon) -> None:
    connection = daemon.connection(daemon.api)
    connection.request("POST", "/api/v0/stats/bw?poll=true&interval=1ms&encoding=text")
    response = connection.getresponse()
    for _ in range(3):
        assert b"Bandwidth\n" in [response.readline() for _ in range(5)]
    connection.close()


def test_requests_are_listed_while_they_are_in_hand(daemon) -> None:
    connection = daemon.connection(daemon.api)
    connection.request("POST", "/api/v0/stats/bw?poll=true&interval=5ms")
    response = connection.getresponse()
    response.readline()
    active = [row for row in daemon.rpc("diag/cmds").json if row["Active"]]
    assert [row["Command"] for row in active] == ["stats/bw", "diag/cmds"]
    assert active[0]["Options"] == {"poll": "true", "interval": "5ms"}
    connection.close()


def test_the_log_is_followed(daemon) -> None:
    daemon.rpc("log/level", "all", "debug")
    connection = daemon.connection(daemon.api)
    connection.request("POST", "/api/v0/log/tail")
    response = connection.getresponse()
    daemon.rpc("id")
    lines = (json.loads(response.readline()) for _ in range(100))
    assert any("/api/v0/id" in line["message"] for line in lines)
    connection.close()
    daemon.rpc("log/level", "all", "info")
