"""Each form of the compiled modules can be asked for, and is what one gets."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.forms import COMPILED, ROOT

PROGRAM = """
from tests import forms
{before}
forms.take_the_form_asked_for()
print(*{{forms.form_of(name) for name in forms.COMPILED}})
"""


def run(asked: str, *, before: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM.format(before=before)]
    environment = os.environ | {"ZWERM_FORM": asked}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_list_of_compiled_modules_is_read_off_setup_py() -> None:
    assert "zwerm.ipfs.ipld.dag_pb" in COMPILED


def test_the_plain_python_form_is_used_when_it_is_asked_for() -> None:
    assert run("pure").stdout.split() == ["pure"]


def test_a_compiled_form_that_is_missing_is_said() -> None:
    done = run("compiled", before="forms.prefer_source()")
    assert done.returncode == 1
    assert "there is no compiled form of zwerm.ipfs.ipld." in done.stderr


def test_an_unknown_form_is_refused() -> None:
    done = run("fast")
    assert done.returncode == 1
    assert "ZWERM_FORM is fast, expected pure or compiled" in done.stderr
