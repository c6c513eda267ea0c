"""One writer per version: two messages of a version never write at the same time, in this process or another."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from handlers.stage import Outcome, Wait
from shared.core.model import ImageVersion
from shared.core.names import VersionId
from shared.core.rollout import patience
from shared.wiring import App

if TYPE_CHECKING:
    from shared.adapters.claims import Claim

_LASTS = timedelta(minutes=2)
_BUSY = timedelta(seconds=2)


def alone(app: App, version: VersionId, ticket: str, act: Callable[["Claim"], Outcome]) -> Outcome:
    """Act as the only writer of a version, or wait while another is at it.

    A writer that was killed holds up nobody for long: its own message, when it is delivered again, goes on with the
    claim, and for any other the claim ends after two minutes. Who reads for longer finds out before it writes:
    :meth:`shared.adapters.claims.Claim.keep`.

    :param ticket: who acts: the id of the message in its queue.
    """
    claim = app.rollouts.claim(version, ticket, now=app.now(), lasting=_LASTS)
    if claim is None:
        return Wait(_BUSY, "another message of this version is being handled")
    with claim:
        return act(claim)


def wait_for(app: App, version: ImageVersion, since: datetime) -> Wait:
    """Wait for the end of somebody's write; the longer it takes, the longer the pauses."""
    waited = app.now() - since
    delay = patience(waited, app.settings.watch_first, app.settings.watch_longest)
    return Wait(delay, f"{version.number} is {version.state}")
