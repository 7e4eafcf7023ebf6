"""Containers that a peer can fill only so far.

Each has a limit and a name for it, and says both when it is reached: `ResourceLimitError: 257 open streams, the limit
is 256`. `BoundedDict` and `BoundedQueue` refuse; `LruCache` forgets what was not used for longest, so it is for what
can be had again.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, MutableMapping
from typing import Generic, TypeVar

from zwerm.core.errors import LocalProtocolError, ResourceLimitError

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")


class BoundedDict(MutableMapping[K, V]):
    """A dict that takes at most `limit` keys."""

    __slots__ = ("_items", "_name", "limit")

    def __init__(self, limit: int, name: str) -> None:
        """`name` is the plural of what the keys stand for: "open streams"."""
        self.limit = limit
        self._name = name
        self._items: dict[K, V] = {}

    def __setitem__(self, key: K, value: V) -> None:
        """Put or replace.

        Raises:
            ResourceLimitError: a new key, and no room. Nothing was changed.
        """
        if len(self._items) >= self.limit and key not in self._items:
            raise ResourceLimitError(f"{len(self._items) + 1} {self._name}, the limit is {self.limit}")
        self._items[key] = value

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __delitem__(self, key: K) -> None:
        del self._items[key]

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"BoundedDict({len(self._items)} of {self.limit} {self._name})"

    @property
    def is_full(self) -> bool:
        return len(self._items) >= self.limit


class BoundedQueue(Generic[T]):
    """First in, first out, of at most `limit` units; a unit is an item, or a byte when `put` is told sizes."""

    __slots__ = ("_items", "_name", "limit", "size")

    size: int  # units inside

    def __init__(self, limit: int, name: str) -> None:
        """`name` is the plural of the unit and where it waits: "bytes waiting to be sent"."""
        self.limit = limit
        self.size = 0
        self._name = name
        self._items: deque[tuple[T, int]] = deque()

    def put(self, item: T, size: int = 1) -> None:
        """Append `item`.

        Raises:
            ResourceLimitError: no room for `size` more units. Nothing was changed.
        """
        if self.size + size > self.limit or len(self._items) >= self.limit:  # items of size 0 take room too
            raise ResourceLimitError(f"{self.size + size} {self._name}, the limit is {self.limit}")
        self._items.append((item, size))
        self.size += size

    def take(self) -> T | None:
        """Remove and return the oldest item; None when there is none."""
        if not self._items:
            return None
        item, size = self._items.popleft()
        self.size -= size
        return item

    def peek(self) -> T | None:
        """Return the oldest item and leave it; None when there is none."""
        return self._items[0][0] if self._items else None

    def clear(self) -> None:
        self._items.clear()
        self.size = 0

    def __iter__(self) -> Iterator[T]:
        return (item for item, _ in self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"BoundedQueue({self.size} of {self.limit} {self._name})"


def _one(_value: object) -> int:
    return 1


class LruCache(Generic[K, V]):
    """Keeps at most `limit` units of what was used last; a unit is an entry unless `weigh` says otherwise."""

    __slots__ = ("_items", "_weigh", "limit", "size")

    size: int  # units inside

    def __init__(self, limit: int, weigh: Callable[[V], int] = _one) -> None:
        """`weigh` tells how many units a value takes; it must say the same of a value each time."""
        if limit < 1:
            raise LocalProtocolError(f"cache of {limit} units, expected at least 1")
        self.limit = limit
        self.size = 0
        self._weigh = weigh
        self._items: OrderedDict[K, V] = OrderedDict()

    def find(self, key: K) -> V | None:
        """Return the value and count it as used; None when it is not here (any more)."""
        value = self._items.get(key)
        if value is not None:
            self._items.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        """Keep `value`, forgetting others as needed; one heavier than the limit is not kept at all."""
        self.remove(key)
        weight = self._weigh(value)
        if weight > self.limit:
            return
        self._items[key] = value
        self.size += weight
        while self.size > self.limit or len(self._items) > self.limit:  # values of weight 0 take room too
            _, forgotten = self._items.popitem(last=False)
            self.size -= self._weigh(forgotten)

    def remove(self, key: K) -> None:
        """Forget `key`, if it is here."""
        if key in self._items:
            self.size -= self._weigh(self._items.pop(key))

    def clear(self) -> None:
        self._items.clear()
        self.size = 0

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[K]:
        """The keys, the one to be forgotten first leading."""
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
