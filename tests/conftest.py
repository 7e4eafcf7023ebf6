"""What holds for every test: properties have no time limit, and an asynchronous test leaves no task behind."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from tests.forms import take_the_form_asked_for

take_the_form_asked_for()
# A shell starts what it runs in its background with Ctrl-C ignored, which every command of a test would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)
# A time limit for each example would fail on a busy machine; how long a test may take is pytest-timeout's affair.
# `make test` tries the same hundred examples of each property every time; `make test-all` asks for more, and new ones.
examples = os.environ.get("ZWERM_EXAMPLES")
settings.register_profile(
    "zwerm", deadline=None, print_blob=True, max_examples=int(examples or 100), derandomize=examples is None
)
settings.load_profile("zwerm")


@pytest.fixture(autouse=True)
def _no_task_is_left(request: pytest.FixtureRequest) -> None:
    if inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
        request.getfixturevalue("_tasks_end")


@pytest.fixture
async def _tasks_end() -> AsyncIterator[None]:
    """Set up before every other fixture, so torn down after them: what they end may end."""
    asyncio.get_running_loop().slow_callback_duration = 60.0  # a busy machine is no finding
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"tasks are left: {', '.join(map(repr, left))}"
