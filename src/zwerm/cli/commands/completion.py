"""`zwerm completion`."""

from __future__ import annotations

from zwerm.cli.command import Argument, CliCommand, Example, Parsed
from zwerm.cli.session import Session
from zwerm.daemon.rpc.errors import UsageError


def _run(session: Session, parsed: Parsed) -> None:
    from zwerm.cli.completion import SHELLS

    if len(parsed.arguments) != 1 or parsed.arguments[0] not in SHELLS:
        raise UsageError(f"name one shell: {', '.join(SHELLS)}")
    session.output.text(SHELLS[parsed.arguments[0]](session.settings.program))


COMMANDS = (
    CliCommand(
        "completion",
        summary="Print the completion script of bash, zsh or fish",
        run=_run,
        arguments=(Argument("shell", "bash, zsh or fish."),),
        examples=(
            Example("completion bash > ~/.local/share/bash-completion/completions/zwerm", "Complete in bash."),
            Example("completion zsh > ~/.zfunc/_zwerm", "Complete in zsh, with ~/.zfunc in fpath."),
            Example("completion fish > ~/.config/fish/completions/zwerm.fish", "Complete in fish."),
        ),
    ),
)
