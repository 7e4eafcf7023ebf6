"""`zwerm commands`."""

from __future__ import annotations

from zwerm.cli.command import CliCommand, Example, Parsed, flag
from zwerm.cli.commands import TABLE, load
from zwerm.cli.help import option_usage
from zwerm.cli.session import Session


def _run(session: Session, parsed: Parsed) -> None:
    """List the words of this command line; `--json` gives the tree of the RPC."""
    if session.settings.json:
        session.output.json(session.document("commands", (), {"flags": parsed.flag("flags")}))
        return
    for word in sorted(TABLE):
        for command in load(word):
            line = f"{session.settings.program} {command.words}"
            session.output.line(line)
            if parsed.flag("flags"):
                for entry in command.all_options():
                    session.output.line(f"{line} {option_usage(entry)}")


def _script(session: Session, parsed: Parsed) -> None:
    """Kubo's words for `completion SHELL`."""
    from zwerm.cli.completion import SHELLS

    session.output.text(SHELLS[parsed.command.words.rpartition(" ")[2]](session.settings.program))


COMMANDS = (
    CliCommand(
        "commands",
        summary="List every command",
        run=_run,
        arguments=(),
        options=(flag("flags", "f", text="Show the options too."),),
        examples=(Example("commands", "List all commands."), Example("commands --flags", "With their options.")),
    ),
    *(
        CliCommand(
            f"commands completion {shell}",
            summary=f"Print the completion script of {shell}",
            run=_script,
            arguments=(),
            hidden=True,
            examples=(Example(f"commands completion {shell}", f"As `completion {shell}`, which is shorter."),),
        )
        for shell in ("bash", "zsh", "fish")
    ),
)
