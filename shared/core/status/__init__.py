"""What is recorded of an image definition for people to look at: what passes and looks saw, as plain frozen values.

Nothing is decided by it. Losing it costs the page its history until the next pass.
"""

from shared.core.status.changes import LookSeen, PassSeen, after_look, after_pass, after_prune
from shared.core.status.crowding import Crowd, crowds
from shared.core.status.definition import DefinitionStatus
from shared.core.status.history import Finished, Kept, Pruned, Running
from shared.core.status.judging import Level, estimate, level, troubles
from shared.core.status.letters import DeadLetter
from shared.core.status.places import Place, Standing, places
from shared.core.status.sweeps import Sweep, SweptGallery
from shared.core.status.versions import Versions, VersionSeen

__all__ = [
    "Crowd",
    "DeadLetter",
    "DefinitionStatus",
    "Finished",
    "Kept",
    "Level",
    "LookSeen",
    "PassSeen",
    "Place",
    "Pruned",
    "Running",
    "Standing",
    "Sweep",
    "SweptGallery",
    "VersionSeen",
    "Versions",
    "after_look",
    "after_pass",
    "after_prune",
    "crowds",
    "estimate",
    "level",
    "places",
    "troubles",
]
