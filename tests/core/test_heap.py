"""Memory that was freed stays the process's own."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from zwerm.core.heap import keep_freed

SIZE = 262_144
if sys.argv[1] == "keep":
    assert keep_freed()


def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        pieces = [bytes(SIZE) for _ in range(8)]
        del pieces
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


faults()
print(faults())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is the C library of Linux")
def test_large_buffers_are_not_cleared_by_the_system_again_and_again() -> None:
    def faults(how: str) -> int:
        found = subprocess.run([sys.executable, "-c", FAULTS, how], check=True, capture_output=True, text=True)
        return int(found.stdout)

    assert faults("keep") < 100  # pages, of 51,200 that are written
    assert faults("leave") > 10_000
