"""What comes of checking a rule."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a rule held. `number` is its number in the design (0: none), `checked` says how much was looked at.

    `noted` is what looked wrong and was excused.
    """

    number: int
    rule: str
    checked: str
    broken: Sequence[str] = ()
    noted: Sequence[str] = ()

    @property
    def held(self) -> bool:
        """Whether nothing broke it."""
        return not self.broken
