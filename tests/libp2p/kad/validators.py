"""A namespace for tests: values are numbers, the highest is best, and a value that is none is not valid."""

from collections.abc import Sequence

from zwerm.core.errors import WireError


class Numbers:
    def validate(self, key: bytes, value: bytes) -> None:
        if not value.isdigit():
            raise WireError(f"{value!r} is no number")

    def select(self, key: bytes, values: Sequence[bytes]) -> int:
        return max(range(len(values)), key=lambda index: (int(values[index]), -index))


VALIDATORS = {"n": Numbers()}
