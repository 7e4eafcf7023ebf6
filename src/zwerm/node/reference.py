"""The reference page of the configuration, made from the table of settings: `docs/config.md`."""

from __future__ import annotations

from collections import defaultdict

from zwerm.node.setting import Setting
from zwerm.node.settings import PROFILES, SETTINGS
from zwerm.node.toml import serialize_value

_HEAD = """\
# Configuration

`config.toml` in the repository holds what somebody set; everything else has its default. `zwerm config` shows all keys,
`zwerm config KEY VALUE` sets one and keeps your comments, `zwerm up --set KEY=VALUE` sets one for a run. A change takes
effect at the next start, except where "at once" is said.

Sizes are `500MB`, `10GiB` or plain bytes; durations `30s`, `1h30m`, `7d`; addresses `127.0.0.1:5001` or
`/ip4/127.0.0.1/tcp/5001`, with port 0 for a free one.

## Profiles

A profile is another set of defaults: `zwerm init --profile NAME` keeps it, `zwerm up --profile NAME` or
`ZWERM_PROFILE=NAME` takes it for a run.
"""
_FOOT = "\nThis page is made from `src/zwerm/node/settings.py`.\n"


def config_page() -> str:
    """Return the page as Markdown."""
    lines = [_HEAD]
    for name, (sentence, values) in PROFILES.items():
        changes = ", ".join(f"`{key} = {serialize_value(value)}`" for key, value in values.items())
        lines.append(f"* `{name}`: {sentence}" + (f" {changes}." if changes else ""))
    tables: dict[str, list[Setting]] = defaultdict(list)
    for setting in SETTINGS:
        table, _, _ = setting.key.rpartition(".")
        tables[table].append(setting)
    for table, settings in tables.items():
        lines.append(f"\n## {table or 'General'}\n")
        lines.append("| key | kind | default | |")
        lines.append("|---|---|---|---|")
        lines += [_row(setting) for setting in settings]
    return "\n".join(lines) + "\n" + _FOOT


def _row(setting: Setting) -> str:
    kind = setting.kind.name
    if setting.kind.choices:
        kind = " \\| ".join(setting.kind.choices)
    default = " ".join(serialize_value(setting.default).split()).replace("[ ", "[").replace(", ]", "]")
    at_once = "" if setting.restart else " At once."
    return f"| `{setting.key}` | {kind} | `{default}` | {setting.doc}{at_once} |"
