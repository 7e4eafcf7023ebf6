#!/usr/bin/env python3
"""Run aiortc's data-channel examples, only their imports changed: `tools/aiortc_examples.py EXAMPLES [NAME ...]`.

EXAMPLES is the folder `examples` of a checkout of aiortc, which is not part of this tree. `datachannel-cli` talks for
some seconds, `datachannel-filexfer` sends a file: zwerm with zwerm, and each way with aiortc, as installed.
`datachannel-vpn` needs the right to make network devices; it runs in a network namespace of its own and passes a frame
each way between two of them.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FILE_SIZE: Final = 20_000_000  # bytes
TALK: Final = 4.0  # seconds
LIMIT: Final = 60  # seconds
PAIRS: Final = (("zwerm", "zwerm"), ("zwerm", "aiortc"), ("aiortc", "zwerm"))
FRAME: Final = b"\xff" * 6 + b"\x02\0\0\0\0\1" + b"\x88\xb5" + b"zwerm" * 50
PROBE: Final = f"""
import socket
frame = bytes.fromhex("{FRAME.hex()}")
for here, there in (("revpn-offer", "revpn-answer"), ("revpn-answer", "revpn-offer")):
    sockets = [socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88B5)) for _ in range(2)]
    sockets[0].bind((here, 0))
    sockets[1].bind((there, 0x88B5))
    sockets[1].settimeout(10)
    sockets[0].send(frame)
    assert sockets[1].recv(2_000) == frame
"""
NAMESPACE: Final = (
    "ip link set lo up; ip link add d0 type veth peer name d1; ip addr add 10.9.0.1/24 dev d0; "
    "ip link set d0 up; ip link set d1 up"
)


def main() -> int:
    """Run what the command line names, or all; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("examples", type=Path)
    parser.add_argument("names", nargs="*", choices=[*PROGRAMS, []])
    arguments = parser.parse_args()
    count = 0
    with tempfile.TemporaryDirectory(prefix="zwerm-aiortc-") as name:
        folder = Path(name)
        prepare(arguments.examples, folder)
        for program in arguments.names or PROGRAMS:
            for left, right in PAIRS:
                (folder / "signaling").unlink(missing_ok=True)  # one that was killed leaves it behind
                PROGRAMS[program](folder, left, right)
                print(f"{program}: {left} with {right}", flush=True)
                count += 1
    print(f"{count} runs of aiortc's examples, their imports changed")
    return 0


def prepare(examples: Path, folder: Path) -> None:
    """Copy the programs, and beside them the same with other imports; uvloop is hidden, as they want one of old."""
    for kind in ("aiortc", "zwerm"):
        (folder / kind).mkdir()
        for path in examples.glob("datachannel-*/*.py"):
            text = path.read_text("utf-8")
            if kind == "zwerm":
                text = re.sub(r"^from aiortc\b", "from zwerm.webrtc", text, flags=re.MULTILINE)
            (folder / kind / path.name).write_text(text, "utf-8")
    (folder / "hidden").mkdir()
    (folder / "hidden" / "uvloop.py").write_text('raise ImportError("hidden")\n')


@contextlib.contextmanager
def running(folder: Path, kind: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """One program, with signaling by a Unix socket in the folder."""
    command = [sys.executable, "-u", str(folder / kind / words[0]), *words[1:]]
    command += ["--signaling", "unix-socket", "--signaling-path", str(folder / "signaling")]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(folder / "hidden"), os.environ.get("PYTHONPATH", "")])
    }
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def await_listener(folder: Path) -> None:
    """Wait: the receiving side of aiortc does not wait for the one that listens."""
    end = time.monotonic() + LIMIT
    while not (folder / "signaling").exists():
        assert time.monotonic() < end, "nobody listens"
        time.sleep(0.05)


def chat(folder: Path, left: str, right: str) -> None:
    with running(folder, left, "cli.py", "offer") as offerer:
        await_listener(folder)
        with running(folder, right, "cli.py", "answer") as answerer:
            time.sleep(TALK)
            answerer.send_signal(signal.SIGINT)
            said, _ = offerer.communicate(timeout=LIMIT)
    assert said.count(" RTT ") >= 2, said


def transfer(folder: Path, left: str, right: str) -> None:
    (folder / "file").write_bytes(secrets.token_bytes(FILE_SIZE))
    with running(folder, left, "filexfer.py", "send", str(folder / "file")) as sender:
        await_listener(folder)
        with running(folder, right, "filexfer.py", "receive", str(folder / "copy")) as receiver:
            said, _ = receiver.communicate(timeout=LIMIT)
            sender.communicate(timeout=LIMIT)
    assert f"received {FILE_SIZE} bytes" in said, said
    assert (folder / "copy").read_bytes() == (folder / "file").read_bytes()


def tunnel(folder: Path, left: str, right: str) -> None:
    """In a namespace of its own: this program again, with one pair."""
    unshare = shutil.which("unshare")
    assert unshare is not None, "unshare is not there"
    here = [sys.executable, __file__, "--in-namespace", str(folder), left, right]
    subprocess.run([unshare, "-n", "sh", "-c", f'{NAMESPACE}; exec "$@"', "sh", *here], check=True, timeout=LIMIT)


def tunnel_inside(folder: Path, left: str, right: str) -> None:
    with running(folder, left, "vpn.py", "offer"):
        await_listener(folder)
        with running(folder, right, "vpn.py", "answer"):
            end = time.monotonic() + LIMIT
            while not {"revpn-offer", "revpn-answer"} <= {name for _, name in socket.if_nameindex()}:
                assert time.monotonic() < end, "no devices"
                time.sleep(0.1)
            time.sleep(1.0)  # until both are up
            subprocess.run([sys.executable, "-c", PROBE], check=True, timeout=LIMIT)


PROGRAMS: Final = {"datachannel-cli": chat, "datachannel-filexfer": transfer, "datachannel-vpn": tunnel}

if __name__ == "__main__":
    if sys.argv[1:2] == ["--in-namespace"]:
        tunnel_inside(Path(sys.argv[2]), *sys.argv[3:5])
    else:
        sys.exit(main())
