"""A periodic timer below the millisecond."""

import select
import sys

import pytest

from zwerm.net.short_timer import ShortTimer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="timerfd is Linux's")


def test_it_fires_again_and_again_until_it_is_stopped() -> None:
    timer = ShortTimer()
    assert timer.start(1e-4)
    try:
        fired = 0
        while fired < 5:
            assert select.select([timer.fileno], [], [], 10)[0]
            fired += timer.read()
        timer.stop()
        timer.read()
        assert select.select([timer.fileno], [], [], 0) == ([], [], [])
        assert timer.read() == 0
        assert timer.start(1e-4)
        assert select.select([timer.fileno], [], [], 10)[0]
    finally:
        timer.close()
        timer.close()


def test_one_that_was_never_started_has_nothing_to_stop() -> None:
    timer = ShortTimer()
    timer.stop()
    timer.close()
    assert timer.fileno == -1
