"""What Kubo has and zwerm has not is refused with the reason, and nothing else is."""

from __future__ import annotations

import pytest

from zwerm.daemon.rpc.absent import ABSENT, why_absent
from zwerm.daemon.rpc.errors import CommandAbsent
from zwerm.daemon.rpc.registry import find, load_all

COMMANDS = load_all()


@pytest.mark.parametrize("path", ["p2p/listen", "pin/remote/service/add", "object/get", "files/chroot", "diag/profile"])
def test_what_only_kubo_has_is_refused_with_the_reason(path: str) -> None:
    with pytest.raises(CommandAbsent, match=f"^`{path.partition('/')[0]}"):
        find(path)


def test_nothing_is_called_absent_that_is_here() -> None:
    assert not [path for path in COMMANDS if why_absent(path)]


def test_what_nobody_has_is_not_explained() -> None:
    assert why_absent("nothing") is None
    assert why_absent("pin/nothing") is None


@pytest.mark.parametrize("path", ABSENT)
def test_a_reason_is_one_sentence_that_goes_on_from_the_name(path: str) -> None:
    said = why_absent(path)
    assert said is not None
    assert said.startswith(f"`{path.replace('/', ' ')}` ")
    assert not said.endswith(".")
