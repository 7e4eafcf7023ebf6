"""Reading captures with tshark."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def fields(capture: Path, wanted: str, *names: str) -> list[tuple[str, ...]]:
    """The values of fields in every packet that a display filter lets pass; several values of a field have commas."""
    options = [option for name in names for option in ("-e", name)]
    written = _run(capture, "-Y", wanted, "-T", "fields", *options)
    return [tuple(line.split("\t")) for line in written.splitlines()]


def bytes_of(capture: Path, wanted: str) -> str:
    """Every packet in hex, decrypted where there were keys, with one blank between bytes."""
    return _run(capture, "-Y", wanted, "-x").replace("  ", " ")


def _run(capture: Path, *arguments: str) -> str:
    """Without look-ups of names, without the settings of whoever runs this, and with checksums checked."""
    command = ["tshark", "-n", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
    environment = os.environ | {"WIRESHARK_CONFIG_DIR": str(capture.parent / "no-settings")}
    return subprocess.run(
        [*command, "-r", str(capture), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env=environment,
    ).stdout
