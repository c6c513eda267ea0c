"""Recording for people what passes, looks, prunes and sweeps saw: what the page shows, without asking Azure.

A stage's own work counts: it waits for the table as it always does, and no other trouble with a record fails it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from handlers.journal import warn
from shared.core.errors import Retry
from shared.core.model import ImageVersion
from shared.core.names import GalleryId, ImageId, VersionId, VersionNumber
from shared.core.plan import Line, Plan
from shared.core.pruning import Pruning
from shared.core.rollout import Judgement, Progress, Rollout
from shared.core.status import (
    DefinitionStatus,
    LookSeen,
    PassSeen,
    Sweep,
    SweptGallery,
    Versions,
    after_look,
    after_pass,
    after_prune,
)
from shared.wiring import App

if TYPE_CHECKING:
    from handlers.observing import Observed


def record_pass(
    app: App, made: Plan, observed: "Observed", running: Mapping[VersionNumber, Rollout], cause: str
) -> None:
    """Record what a pass saw and made of it.

    :param running: the rollouts that are not over, now that it has acted.
    """
    image, mode, now = made.image, observed.policy.mode, app.now()
    with _courtesy(image):
        seen = PassSeen(made, mode, cause, now, running, observed.definition.refused)
        app.records.keep_versions(image, Versions.seen(made, mode))
        app.records.change(image, lambda before: after_pass(before, seen))


def record_look(  # noqa: PLR0913  a look has this many sides
    app: App,
    version: ImageVersion,
    rollout: Rollout,
    *,
    lines: Sequence[Line],
    seen: Progress,
    judgement: Judgement,
) -> None:
    """Record what a look at a rollout saw."""
    look = LookSeen(version, rollout, tuple(lines), seen, judgement.hopeless, app.now())
    with _courtesy(version.id.image):
        app.records.change(version.id.image, lambda before: after_look(before, look))


def record_prune(app: App, version: VersionId, pruning: Pruning | None) -> None:
    """Record that a prune has come to its end, or was refused; ``None`` for one that was not needed."""
    now = app.now()
    with _courtesy(version.image):
        if pruning and not pruning.refused_at:
            app.records.change_versions(version.image, lambda before: before.left(version.number.name, pruning.removed))
        app.records.change(version.image, lambda before: after_prune(before, version.number.name, pruning, now))


def record_sweep(app: App, galleries: Sequence[SweptGallery]) -> None:
    """Record a sweep."""
    with _courtesy("the sweep", waits=False):
        app.records.keep_sweep(Sweep(app.now(), tuple(galleries)))


def forget(app: App, image: ImageId) -> None:
    """Forget an image definition that is gone."""
    with _courtesy(image):
        app.records.forget(image)


def recorded(app: App, gallery: GalleryId) -> Sequence[DefinitionStatus]:
    """Read what passes recorded of a gallery; nothing where that is not to be had."""
    with _courtesy(gallery, waits=False):
        return app.records.statuses(gallery)
    return ()


@contextmanager
def _courtesy(about: object, *, waits: bool = True) -> Iterator[None]:
    """Let no trouble with a record fail a stage; one with a message can wait for a table that is away."""
    try:
        yield
    except Exception as fault:
        if waits and isinstance(fault, Retry):
            raise
        warn("record.failed", about=about, reason=type(fault).__name__)
