"""A libtorrent session on loopback, driven by lines of JSON on standard input (PyPI: libtorrent).

    python torrent.py

The first line it prints is `{"result": PORT}`. Takes `["verb", argument, ...]` a line and answers each with one line,
`{"result": ...}` or `{"error": ...}`. Verbs: `seed FILE` (gives the path of a torrent of it), `fetch TORRENT FOLDER
PORT` (gives the seconds until all of it came from the session at that port, was checked, and is on the medium), `quit`.
TCP without encryption, and buffers as large as libtorrent's own set for fast networks has them.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import libtorrent as lt

PIECE = 1_048_576  # bytes
PATIENCE = 120.0  # seconds
SETTINGS = {
    "listen_interfaces": "127.0.0.1:0",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    "allow_multiple_connections_per_ip": True,
    "in_enc_policy": lt.enc_policy.pe_disabled,
    "out_enc_policy": lt.enc_policy.pe_disabled,
    "alert_mask": lt.alert.category_t.status_notification | lt.alert.category_t.error_notification,
}


class Session:
    """What the verbs do."""

    def __init__(self) -> None:
        self.session = lt.session({**lt.high_performance_seed(), **SETTINGS})

    @property
    def port(self) -> int:
        while not (port := self.session.listen_port()):
            time.sleep(0.01)
        return port

    def seed(self, file: str) -> str:
        path = Path(file)
        torrent = lt.create_torrent(lt.list_files(str(path)), PIECE, lt.create_torrent.v1_only)
        lt.set_piece_hashes(torrent, str(path.parent))
        name = path.with_suffix(".torrent")
        name.write_bytes(lt.bencode(torrent.generate()))
        self._wait(self._add(str(name), path.parent))
        return str(name)

    def fetch(self, torrent: str, folder: str, port: int) -> float:
        handle = self._add(torrent, Path(folder))
        began = time.perf_counter()
        handle.connect_peer(("127.0.0.1", port))
        self._wait(handle)
        (file,) = (path for path in Path(folder).iterdir() if path.is_file())
        descriptor = os.open(file, os.O_RDWR)
        os.fsync(descriptor)
        os.close(descriptor)
        return time.perf_counter() - began

    def _add(self, torrent: str, folder: Path) -> lt.torrent_handle:
        folder.mkdir(exist_ok=True)
        wanted = lt.add_torrent_params()
        wanted.ti = lt.torrent_info(torrent)
        wanted.save_path = str(folder)
        wanted.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
        return self.session.add_torrent(wanted)

    def _wait(self, handle: lt.torrent_handle) -> None:
        end = time.monotonic() + PATIENCE
        while not handle.status().is_seeding:
            if time.monotonic() > end:
                raise TimeoutError(f"{handle.status().state} after {PATIENCE} s")
            self.session.wait_for_alert(5)
            self.session.pop_alerts()


def main() -> None:
    session = Session()
    print(json.dumps({"result": session.port}), flush=True)
    for line in sys.stdin:
        verb, *arguments = json.loads(line)
        if verb == "quit":
            break
        try:
            answer: dict[str, object] = {"result": {"seed": session.seed, "fetch": session.fetch}[verb](*arguments)}
        except (KeyError, TypeError, RuntimeError, OSError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
