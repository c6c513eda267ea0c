"""The rules of the design as far as they show from outside, each held against what a soak has left behind."""

from collections.abc import Callable, Sequence
from typing import Final

from local.soak.evidence import Evidence
from local.soak.rules import calls, chat, galleries, writes
from local.soak.rules.verdict import Verdict

RULES: Final[Sequence[Callable[[Evidence], Verdict]]] = (
    galleries.swept_again,
    writes.alone,
    writes.least,
    writes.unchanged,
    galleries.complete,
    writes.safe_removals,
    galleries.people_stay,
    calls.patient,
    calls.paced,
    calls.brief,
    chat.once,
    chat.everywhere,
    chat.true,
    chat.whole,
    galleries.nothing_left,
    galleries.secrets,
)


def verdicts(evidence: Evidence) -> list[Verdict]:
    """Check every rule."""
    return [rule(evidence) for rule in RULES]
