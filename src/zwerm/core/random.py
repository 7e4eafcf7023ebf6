"""Randomness as an argument: a machine draws from the `Random` it was given and from nothing else.

In the node that is `SYSTEM`, the kernel's generator, fit for anything a peer must not guess. In a test it is
`seeded(...)`: the same seed gives the same run.
"""

from __future__ import annotations

from random import Random, SystemRandom
from typing import Final

__all__ = ["SYSTEM", "Random", "seeded"]

SYSTEM: Final[Random] = SystemRandom()


def seeded(*labels: int | str) -> Random:
    """Return a generator whose draws depend on the labels alone.

    Give each drawer labels of its own, `seeded(seed, "link", 3)`: then one that draws more does not shift the others.
    Never for secrets.
    """
    return Random("/".join(f"{type(label).__name__}:{label}" for label in labels))  # noqa: S311
