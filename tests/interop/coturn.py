"""Runs coturn's server and clients, on the loopback only."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path

PATIENCE = 60.0  # seconds


def free_ports(count: int) -> list[int]:
    """Ports that are free for UDP and TCP on 127.0.0.1, a moment ago."""
    with contextlib.ExitStack() as stack:
        ports: list[int] = []
        while len(ports) < count:
            stream = stack.enter_context(socket.socket())
            stream.bind(("127.0.0.1", 0))
            port = stream.getsockname()[1]
            datagram = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            with contextlib.suppress(OSError):
                datagram.bind(("127.0.0.1", port))
                ports.append(port)
        return ports


async def run(*command: str) -> str:
    """Run one of coturn's clients to its end, and return what it wrote."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(PATIENCE):
            written, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return written.decode(errors="replace")


@contextlib.asynccontextmanager
async def echo_peer() -> AsyncIterator[int]:
    """coturn's peer, which sends back what comes; the port it listens on."""
    (port,) = free_ports(1)
    process = await asyncio.create_subprocess_exec(
        "turnutils_peer",
        "-L",
        "127.0.0.1",
        "-p",
        str(port),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await wait_for_echo(port)
        yield port
    finally:
        process.kill()
        await process.wait()


async def wait_for_echo(port: int) -> None:
    """Send until something comes back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0)
        probe.connect(("127.0.0.1", port))
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(ConnectionError, TimeoutError):
                    probe.send(b"are you there")
                    async with asyncio.timeout(0.2):
                        await loop.sock_recv(probe, 100)
                    return


@contextlib.asynccontextmanager
async def turnserver(folder: Path, *options: str, tls: tuple[Path, Path] | None = None) -> AsyncIterator[int]:
    """coturn's server with user alice; the port it listens on, for UDP and TCP, and TLS where it has a certificate."""
    (port,) = free_ports(1)
    secured = ["--no-tls"] if tls is None else ["--cert", str(tls[0]), "--pkey", str(tls[1])]
    process = await asyncio.create_subprocess_exec(
        "turnserver", "-n", "--no-cli", "--no-dtls", *secured, "--log-file", "stdout", "--simple-log",
        "--pidfile", str(folder / "pid"), "--userdb", str(folder / "userdb"), "-L", "127.0.0.1", "-p", str(port),
        "--relay-ip", "127.0.0.1", "--lt-cred-mech", "--user", "alice:wonder", "--realm", "zwerm",
        "--allow-loopback-peers", *options,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE):
            while process.returncode is None:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)  # there is nothing to wait for but the port
        assert process.returncode is None, "turnserver ended at once"
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def figure(name: str, written: str) -> int:
    """The last `name=NUMBER` that turnutils_uclient wrote."""
    found = re.findall(rf"{name}=(\d+)", written)
    assert found, written
    return int(found[-1])
