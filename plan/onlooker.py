"""The app as the plan needs it: with its table where that is given, with an empty memory where it is not."""

from collections.abc import Mapping
from functools import cached_property

from shared import settings
from shared.adapters.rollouts import Remembered, Rollouts
from shared.core.names import ImageId, VersionId
from shared.core.rollout import Rollout
from shared.settings import STORAGE
from shared.wiring import App

WITHOUT_TABLE = (
    f"Planned without the app's table ({STORAGE} is not given): PRUNE_GRACE and WAVE_BAKE count from now, and what "
    "Azure refused, what is being repaired and what was withdrawn is not known."
)
_NEVER_OPENED = "UseDevelopmentStorage=true"


def onlooker(environment: Mapping[str, str]) -> tuple[App, tuple[str, ...]]:
    """Build the app, and say what people should know of it.

    :raises BadSettings: with every fault of the settings.
    """
    if any(value.strip() for name, value in environment.items() if name.startswith(STORAGE)):
        app = App(settings.load(environment))
        return app, app.settings.warnings
    forgetful = _Forgetful(settings.load({**environment, STORAGE: _NEVER_OPENED}))
    return forgetful, (*forgetful.settings.warnings, WITHOUT_TABLE)


class _Forgetful(App):
    """An app that has no table."""

    @cached_property
    def rollouts(self) -> Rollouts:
        """Nothing is remembered."""
        return _Nothing()


class _Nothing(Rollouts):
    """What is remembered where there is no table: nothing. It has what a plan reads, and nothing to write with."""

    def __init__(self) -> None:
        """Open no table."""

    def rollout(self, version: VersionId) -> Rollout | None:  # noqa: ARG002  the same for each
        """Know of no rollout."""
        return None

    def remembered(self, image: ImageId) -> Remembered:  # noqa: ARG002  the same
        """Know of no earlier pass."""
        return Remembered()
