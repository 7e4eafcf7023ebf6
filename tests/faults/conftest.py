"""What goes wrong around a node, tried on real processes; the fixtures are those of the command line's tests."""

from tests.cli.conftest import local, served, zwerm

__all__ = ["local", "served", "zwerm"]
