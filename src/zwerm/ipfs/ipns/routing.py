"""What names need of a network: records by key. The DHT, pubsub and delegated routers each are one of these."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol


class RecordRouting(Protocol):
    """One way to find and spread records. All bytes that come out of it are untrusted."""

    @property
    def label(self) -> str:
        """What people call it, such as `dht`."""
        ...

    def find_records(self, key: bytes) -> AsyncGenerator[bytes, None]:
        """Yield records kept under a routing key as they come in, ending when no more are expected.

        Raises:
            ZwermError: this way is closed now; the others may know.
        """
        ...

    async def put_record(self, key: bytes, record: bytes) -> None:
        """Spread a record.

        Raises:
            ZwermError: nobody took it.
        """
        ...
