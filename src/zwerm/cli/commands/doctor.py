"""`zwerm doctor`."""

from __future__ import annotations

from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.output import safe
from zwerm.cli.session import Session


def _run(session: Session, _parsed: Parsed) -> int:
    """Print one line a check, and below it what to do where something is wrong; 1 when anything is."""
    from zwerm.cli.checkup import Verdict, checkup

    bad = False
    for finding in checkup(session):
        bad = bad or finding.verdict is Verdict.BAD
        if session.settings.json:
            session.output.json(
                {
                    "Check": finding.check,
                    "Verdict": finding.verdict.value,
                    "Found": finding.found,
                    "Advice": finding.advice,
                }
            )
            continue
        session.output.line(f"{finding.verdict.value:5} {finding.check + ':':14}{safe(finding.found)}")
        if finding.advice:
            session.output.line(f"      -> {safe(finding.advice)}")
        session.output.flush()
    return int(bad)


COMMANDS = (
    CliCommand(
        "doctor",
        summary="Check the repository, ports, disk and versions, and say what to do",
        details="Nothing is changed. `zwerm repo verify` reads every block besides.",
        run=_run,
        arguments=(),
        examples=(Example("doctor", "See whether all is well."), Example("doctor --json", "The same for a program.")),
    ),
)
