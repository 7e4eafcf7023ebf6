"""`tools/defences.py` takes defences away: the places it names are there, and so are the tests that miss them."""

import pytest

from tools.defences import DEFENCES, ROOT, Defence


@pytest.mark.parametrize("defence", DEFENCES, ids=lambda one: one.attack.replace(" ", "-"))
def test_a_defence_stands_where_the_list_says(defence: Defence) -> None:
    text = (ROOT / defence.path).read_text("utf-8")
    assert text.count(defence.there) == 1
    assert defence.there != defence.instead
    assert all((ROOT / path).is_file() for path in defence.test_paths)


def test_no_attack_is_listed_twice() -> None:
    assert len({one.attack for one in DEFENCES}) == len(DEFENCES)
