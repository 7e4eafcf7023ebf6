"""Showing what we do at once: our inputs are applied here before the authority has them, and corrected when it answers.

The same `step` runs on both sides. A state of the authority includes inputs up to one number; those after it are
applied to it again, and the result is what we should have shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

StateT = TypeVar("StateT")
InputT = TypeVar("InputT")


class Predictor(Generic[StateT, InputT]):
    """One thing that we control. `step` returns a new state and leaves its argument alone."""

    def __init__(self, state: StateT, step: Callable[[StateT, InputT], StateT], *, max_pending: int = 256) -> None:
        """`max_pending` inputs are applied again at most; the oldest are forgotten then."""
        self.state = state
        self._step = step
        self._pending: deque[tuple[int, InputT]] = deque(maxlen=max_pending)
        self._settled = 0

    @property
    def pending(self) -> int:
        """Inputs that the authority has not answered."""
        return len(self._pending)

    def apply(self, number: int, given: InputT) -> StateT:
        """Apply an input of ours, in the order of numbers; return what to show."""
        self._pending.append((number, given))
        self.state = self._step(self.state, given)
        return self.state

    def reconcile(self, state: StateT, processed: int) -> StateT:
        """Take the authority's state, which includes inputs up to `processed`; return what to show."""
        if processed < self._settled:
            return self.state  # an older state, which came late
        self._settled = processed
        while self._pending and self._pending[0][0] <= processed:
            self._pending.popleft()
        for _, given in self._pending:
            state = self._step(state, given)
        self.state = state
        return state
