"""`zwerm doctor`."""

from __future__ import annotations

from zwerm.cli import remote
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.output import safe
from zwerm.cli.session import Session
from zwerm.daemon.rpc.registry import argument


def _run(session: Session, parsed: Parsed) -> int:
    """Print one line a check, and below it what to do where something is wrong; 1 when anything is."""
    from zwerm.cli.checkup import Verdict, checkup
    from zwerm.cli.reachability import reach_findings

    bad = False
    texts, _ = remote.bind(parsed.command.all_arguments(), parsed.arguments, session)
    for finding in reach_findings(session, texts[0]) if texts else checkup(session):
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
        details="Nothing is changed. `zwerm repo verify` reads every block besides. With an address or the path of a "
        "file it says instead whether others can get that from this node now, and if not, why; the status is 1 then.",
        run=_run,
        arguments=(argument("path", "Address, /ipfs/ path, or the path of one of the node's files.", required=False),),
        examples=(
            Example("doctor", "See whether all is well."),
            Example("doctor /photos/cat.jpg", "See whether others can get one of the node's files now."),
            Example("doctor --json", "The same for a program."),
        ),
    ),
)
