"""`docs/sans-io.md`: its example runs, and keeps the laws it explains."""

import re
from pathlib import Path

from tests.conformance.check_machine import PEER, Subject, check_machine

PAGE = (Path(__file__).parents[2] / "docs" / "sans-io.md").read_text()


def test_the_example_runs_and_keeps_the_laws() -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    names: dict = {}
    exec(example, names)
    check_machine(Subject(lambda now, random: names["Beacon"](PEER, now=now), valid=[b"stop"]))
