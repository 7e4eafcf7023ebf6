"""Network namespaces of a test, without names: they are held by descriptors, so even a killed test leaves none behind.

A thread that has entered one opens its sockets there, and so do the processes it starts and the threads of its loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import subprocess
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Self, TypeVar

from zwerm.net.interfaces import list_addresses

CLONE_NEWNET = 0x4000_0000

ResultT = TypeVar("ResultT")


def _libc(name: str, *arguments: int) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments):
        raise OSError(ctypes.get_errno(), name)


class Namespace:
    """A network of its own: nothing but a loopback, which is up."""

    def __init__(self) -> None:
        self._descriptor = _in_thread(self._make)
        self.ip("link set lo up")

    @staticmethod
    def _make() -> int:
        _libc("unshare", CLONE_NEWNET)
        return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    @property
    def path(self) -> str:
        """What `ip link set ... netns` takes."""
        return f"/proc/{os.getpid()}/fd/{self._descriptor}"

    def enter(self) -> None:
        """Move the calling thread in, for good: make a thread for it, or take `entered`."""
        _libc("setns", self._descriptor, CLONE_NEWNET)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Have the calling thread inside for a while; what it opens there stays there."""
        outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.enter()
            try:
                yield
            finally:
                _libc("setns", outside, CLONE_NEWNET)
        finally:
            os.close(outside)

    def call(self, work: Callable[[], ResultT]) -> ResultT:
        """Run `work` inside, in a thread, and wait for it."""

        def inside() -> ResultT:
            self.enter()
            return work()

        return _in_thread(inside)

    def run(self, *command: str, text: str = "") -> str:
        """Run a command inside; what it wrote."""
        done = self.call(lambda: subprocess.run(command, input=text, capture_output=True, text=True, check=False))
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}\n{text}"
        return done.stdout

    def ip(self, *commands: str) -> None:
        """Commands of `ip`, in one process."""
        self.run("ip", "-batch", "-", text="\n".join(commands) + "\n")

    def nft(self, rules: str) -> None:
        self.run("nft", "-f", "-", text=rules)

    def sysctl(self, **values: int) -> None:
        """Set values below /proc/sys/net, by names like `ipv4__ip_forward`."""

        def write() -> None:
            for name, value in values.items():
                with open(f"/proc/sys/net/{name.replace('__', '/')}", "w") as file:
                    file.write(str(value))

        self.call(write)

    def wait_for(self, *hosts: str) -> None:
        """Wait until these addresses can be sent from: the kernel takes its time to see that a cable has two ends."""

        def look() -> None:
            while not set(hosts) <= {one.address for one in list_addresses()}:
                time.sleep(0.005)  # there is nothing to wait for but the list

        self.call(look)

    def close(self) -> None:
        """Let go of it; the kernel removes it when nothing inside runs any more. Twice is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def wire(left: Namespace, left_name: str, right: Namespace, right_name: str) -> None:
    """A cable between two namespaces; both ends are down."""
    left.ip(f"link add {left_name} type veth peer name {right_name} netns {right.path}")


def _in_thread(work: Callable[[], ResultT]) -> ResultT:
    results: list[ResultT] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]


class Resident:
    """An event loop in a thread that lives in a namespace."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def _live(self) -> None:
        self.namespace.enter()
        with contextlib.closing(self.loop):
            self.loop.run_forever()
            self.loop.run_until_complete(self.loop.shutdown_default_executor())

    async def do(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Run a coroutine there, and wait for it here. Cancelling cancels it."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))

    def do_now(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """The same from outside of any loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()


@contextlib.contextmanager
def resident_of(namespace: Namespace) -> Iterator[Resident]:
    resident = Resident(namespace)
    try:
        yield resident
    finally:
        resident.close()


@contextlib.contextmanager
def private_network() -> Iterator[str]:
    """Have the calling thread in a network of its own with a cable and a default route, as browsers want one.

    Gives the address of this end. Nobody answers at the other, so nothing that is sent there leaves the machine.
    """
    host, gateway = "192.0.2.1", "192.0.2.2"  # RFC 5737
    with Namespace() as here, Namespace() as there:
        wire(here, "eth0", there, "eth0")
        there.ip("link set eth0 up", f"addr add {gateway}/24 dev eth0")
        here.ip("link set eth0 up", f"addr add {host}/24 dev eth0", f"route add default via {gateway}")
        here.wait_for(host)
        with here.entered():
            yield host
