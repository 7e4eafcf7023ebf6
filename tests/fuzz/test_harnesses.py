"""Every parser holds its invariant against its seeds, its corpus, and what Hypothesis makes of them.

`tools/fuzz.py` runs the same harnesses for as long as one likes, led by coverage.
"""

import ast
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.harnesses import CORPUS, NAMES, load, read_corpus

MAX_CORPUS = 32_768  # bytes of one file; `tools/fuzz.py --keep` keeps the shortest inputs


@st.composite
def mutations(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A seed with a few bytes changed, removed, repeated or put in."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 8)))
        middle = draw(st.sampled_from([b"", data[start:end] * 2]) | st.binary(max_size=8))
        data = data[:start] + middle + data[end:]
    return data


@pytest.mark.parametrize("name", NAMES)
def test_the_invariant_holds_for_what_was_found_before(name: str) -> None:
    harness = load(name)
    for data in [*harness.SEEDS, *read_corpus(name)]:
        harness.fuzz(data)


@pytest.mark.parametrize("name", NAMES)
def test_the_invariant_holds_for_seeds_cut_short(name: str) -> None:
    harness = load(name)
    for seed in harness.SEEDS:
        for size in range(min(len(seed), 300)):
            harness.fuzz(seed[:size])


@pytest.mark.parametrize("name", NAMES)
def test_the_invariant_holds_for_anything(name: str) -> None:
    harness: ModuleType = load(name)

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(mutations([*harness.SEEDS, *read_corpus(name)]) | st.binary(max_size=200))
    def hold(data: bytes) -> None:
        harness.fuzz(data)

    hold()


@pytest.mark.parametrize("name", NAMES)
def test_a_harness_says_its_invariant_on_line_1(name: str) -> None:
    path = Path(__file__).parent / f"fuzz_{name}.py"
    line = path.read_text().splitlines()[0]
    assert line.startswith('"""')
    assert line.endswith('."""')
    assert ast.get_docstring(ast.parse(path.read_text())) == line.strip('"')


def test_the_corpus_is_small_and_belongs_to_harnesses() -> None:
    files = list(CORPUS.glob("*.txt"))
    assert {file.stem for file in files} <= set(NAMES)
    assert all(file.stat().st_size <= MAX_CORPUS for file in files)
