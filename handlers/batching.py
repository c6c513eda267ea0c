"""Prunes that one pass asked for: people hear of them together, when the last of them has ended."""

from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

from handlers.announcing import Audience, announce
from shared.core.batch import LARGEST, Batch, batch_name
from shared.core.messages import Prune
from shared.core.names import ImageId, VersionId, VersionNumber
from shared.core.notices import batch_news
from shared.wiring import App

if TYPE_CHECKING:
    from shared.adapters.rollouts import Remembered


def ask_together(
    app: App, image: ImageId, numbers: Sequence[VersionNumber], ticket: str, known: "Remembered"
) -> dict[VersionNumber, str]:
    """Remember which prunes are about to be asked for together, before one of them can end; give the batch of each.

    A pass that was killed comes again with its ticket. Then its batches are known, also those with nothing left to ask
    for, and where nothing is left to wait for either, what has ended is told.

    :param known: what was remembered when the pass began.
    """
    found: dict[VersionNumber, str] = {}
    for index in count():
        name, some = batch_name(ticket, index), numbers[index * LARGEST : (index + 1) * LARGEST]
        if not (some or known.has_batch(name)):
            break
        batch = app.rollouts.ask_for_batch(image, name, some, app.now())
        if batch:
            found |= dict.fromkeys(some, name)
            _tell_if_over(app, image, name, batch)
    return found


def end_in_batch(app: App, message: Prune) -> None:
    """Remember that a prune has ended, whatever came of it; if it was the last of its batch, tell of all of them."""
    image, name = message.version.image, message.batch
    batch = app.rollouts.ended_in_batch(message.version, name) if name else None
    if batch:
        _tell_if_over(app, image, name, batch)


def _tell_if_over(app: App, image: ImageId, name: str, batch: Batch) -> None:
    """Tell of a batch, and forget it last: whoever is killed in between tells it again, as the same news.

    Its prunes are forgotten before it: a message that was killed and comes back would tell of its own once more.
    """
    if not batch.over:
        return
    notice = batch_news(image, name, batch)
    if notice:
        announce(app, notice, to=Audience.PEOPLE)
        for number in app.rollouts.remembered(image).prunings:
            if asked := batch.prunes.get(number.name):
                app.rollouts.forget_pruning(VersionId(image, number), asked)
    app.rollouts.forget_batch(image, name)
