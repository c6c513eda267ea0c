"""Prunes that one pass asked for: people hear of them together, when the last of them has ended."""

from handlers.announcing import Audience, announce
from shared.core.messages import Prune
from shared.core.notices import batch_news
from shared.wiring import App


def end_in_batch(app: App, message: Prune) -> None:
    """Remember that a prune has ended, whatever came of it; if it was the last of its batch, tell of all of them.

    Forgotten last: whoever is killed in between tells it again, as the same news.
    """
    image, name = message.version.image, message.batch
    batch = app.rollouts.end_in_batch(message.version, name, None) if name else None
    if batch is None or not batch.over:
        return
    notice = batch_news(image, name, batch)
    if notice:
        announce(app, notice, to=Audience.PEOPLE)
    app.rollouts.forget_batch(image, name)
