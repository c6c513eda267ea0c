"""What an image definition wants of people, and how long its rollouts take."""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from statistics import median

from shared.core.model import ProvisioningState
from shared.core.status.definition import DefinitionStatus
from shared.core.status.places import Standing

_MOVING = frozenset({Standing.REPLICATING, Standing.REQUESTED, Standing.LEAVING})


class Level(StrEnum):
    """To be looked at now, to be left to its work, or neither."""

    ATTENTION = "attention"
    RUNNING = "running"
    SETTLED = "settled"


def level(status: DefinitionStatus) -> Level:
    """Say what an image definition wants of people."""
    if troubles(status):
        return Level.ATTENTION
    coming = ProvisioningState.CREATING in status.newer.values()
    moving = any(place.standing in _MOVING for place in status.places)
    return Level.RUNNING if status.running or status.pruning or coming or moving else Level.SETTLED


def troubles(status: DefinitionStatus) -> tuple[str, ...]:
    """Say what will not get better by itself, or may not."""
    return (*_of_versions(status), *_of_regions(status), *_of_rollouts(status))


def _of_versions(status: DefinitionStatus) -> Iterator[str]:
    if status.versions and not status.newest:
        yield "no version counts as the latest"
    for version, state in status.newer.items():
        if state == ProvisioningState.FAILED:
            yield f"{version} is newer, and Azure calls it Failed"
    for version, reason in status.refused.items():
        yield f"{version} is not pruned: {reason}"


def _of_regions(status: DefinitionStatus) -> Iterator[str]:
    tries = {region: number for each in status.running for region, number in each.tries.items()}
    for place in status.places:
        if place.standing is Standing.FAILED:
            yield f"{place.region} failed{_tried(tries.get(place.region, 0))}: {place.reason}"
        elif place.standing is Standing.SKIPPED:
            yield f"{place.region} is skipped: {place.reason}"


def _of_rollouts(status: DefinitionStatus) -> Iterator[str]:
    for running in status.running:
        if running.late:
            yield f"{running.version} is late: {running.done} of {running.of} regions done by its deadline"
        if running.lost:
            yield f"{running.version}: nothing is left to try with the regions that failed"


def _tried(number: int) -> str:
    if not number:
        return ""
    return f" ({'one repair' if number == 1 else f'{number} repairs'} tried)"


def estimate(status: DefinitionStatus) -> timedelta | None:
    """Say how long a rollout will take in all, by earlier ones; ``None`` when there was none."""
    if not status.finished:
        return None
    return timedelta(seconds=median(each.seconds for each in status.finished))
