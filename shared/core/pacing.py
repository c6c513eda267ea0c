"""How fast one process may write to one subscription, so that 20 % of Azure's budgets are left to others.

Azure counts the writes of image versions per subscription, over 3 and over 30 minutes, and each answer to a write says
how many remain (captured traffic). When a budget comes back is not told, so it is taken to slide: a write counts for as
long as its window is. Where Azure counts in windows that begin anew instead, this waits longer, and never less.

For each budget: ours are the writes of this process that still count. When an answer says what remains, the limit less
what remains less ours is what others hold. We may hold the limit less the reserve less that. While others hold more
than the reserve that is theirs, what is known is looked at again after a pause, with a single write.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Self

_RESERVE = 0.2
_LOOKS_PER_WINDOW = 6
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Budget:
    """So many calls within so long a time.

    :param name: as ``x-ms-ratelimit-remaining-resource`` names it, without its provider.
    """

    name: str
    limit: int
    window: timedelta

    @property
    def reserve(self) -> int:
        """The calls that are left to others."""
        return ceil(self.limit * _RESERVE)

    @property
    def share(self) -> int:
        """The calls that may be ours."""
        return max(self.limit - self.reserve, 1)

    @property
    def step(self) -> timedelta:
        """The time between two calls that would use just our share."""
        return self.window / self.share

    @property
    def pause(self) -> timedelta:
        """The time until it is looked again what others hold."""
        return self.window / _LOOKS_PER_WINDOW


WRITES = (
    Budget("CreateUpdateGalleryImageVersion3Min", 375, timedelta(minutes=3)),
    Budget("CreateUpdateGalleryImageVersion30Min", 1200, timedelta(minutes=30)),
)
"""Creating and updating image versions, per subscription (captured traffic and documented limits)."""


def remaining(header: str) -> dict[str, int]:
    """Read what remains of each budget, from ``x-ms-ratelimit-remaining-resource``; what cannot be read is left out.

    For example ``Microsoft.Compute/CreateUpdateGalleryImageVersion3Min;370,Microsoft.Compute/…30Min;1190``.
    """
    parts = (part.partition(";") for part in header.split(","))
    return {
        name.rpartition("/")[2].strip(): int(number)
        for name, _, number in parts
        if len(number) <= _DIGITS and number.strip().isdecimal()
    }


@dataclass(frozen=True, slots=True)
class _Known:
    """What the last answer said of a budget.

    :param room: how many of our writes may count at a time.
    :param crowded: whether others hold more than the reserve.
    """

    at: datetime
    room: int
    crowded: bool


@dataclass(frozen=True, slots=True)
class Pace:
    """The writes of one process to one subscription.

    :param made: when our writes left, as far as they still count; oldest first.
    :param known: what the last answer said, by the name of the budget.
    :param promised: version -> when its write, which was turned away, will be back; what is past counts no more.
    """

    budgets: tuple[Budget, ...] = WRITES
    made: tuple[datetime, ...] = ()
    known: Mapping[str, _Known] = field(default_factory=dict)
    promised: Mapping[str, datetime] = field(default_factory=dict)

    def may_write(self, now: datetime) -> bool:
        """Whether every budget has room for a write."""
        return not self._closed(now)

    def writing(self, now: datetime) -> Self:
        """Remember that a write leaves."""
        oldest = now - max(budget.window for budget in self.budgets)
        made = self.made[bisect_right(self.made, oldest) :]
        return replace(self, made=(*made, max([now, *made[-1:]])))

    def hearing(self, left: Mapping[str, int], now: datetime) -> Self:
        """Remember what an answer says that remains, by the name of the budget."""
        known = {
            budget.name: self._knowing(budget, left[budget.name], now) for budget in self.budgets if budget.name in left
        }
        return replace(self, known={**self.known, **known})

    def turning_away(self, version: str, now: datetime) -> tuple[Self, datetime]:
        """Say when a write that may not leave now should be tried again: each when there is room for one more.

        While others hold more than is theirs nobody knows when that is, and versions come one by one. However many
        messages want one version written, it is promised one time.
        """
        promised = {each: time for each, time in self.promised.items() if time > now}
        if version in promised:
            return self, promised[version]
        times = tuple(sorted(promised.values()))
        full = {budget: opens for budget in self.budgets if (opens := self._opens(budget, now, times))}
        steps = [budget.step for budget in full if self._look(budget, now)]  # a look is for one, not for all who wait
        promise = max([*full.values(), *(times[-1] + step for step in steps if times)])
        return replace(self, promised={**promised, version: promise}), promise

    def _closed(self, now: datetime) -> list[Budget]:
        return [budget for budget in self.budgets if not self._has_room(budget, now)]

    def _has_room(self, budget: Budget, now: datetime) -> bool:
        if len(self._counting(budget, now)) < self._room(budget, now):
            return True
        look = self._look(budget, now)
        return look is not None and look <= now

    def _counting(self, budget: Budget, now: datetime) -> tuple[datetime, ...]:
        """Give those of our writes that still count."""
        return self.made[bisect_right(self.made, now - budget.window) :]

    def _knowing(self, budget: Budget, left: int, now: datetime) -> _Known:
        room = min(left + len(self._counting(budget, now)), budget.limit) - budget.reserve
        return _Known(now, room, crowded=room < max(budget.share - budget.reserve, 1))

    def _heard(self, budget: Budget, now: datetime) -> _Known | None:
        """Give what is known; when a window has passed nothing of it counts any more."""
        known = self.known.get(budget.name)
        return known if known and now < known.at + budget.window else None

    def _room(self, budget: Budget, now: datetime) -> int:
        known = self._heard(budget, now)
        return known.room if known else budget.share

    def _look(self, budget: Budget, now: datetime) -> datetime | None:
        """Say when one write may leave to see what others hold by then; ``None`` when they hold what is theirs."""
        known = self._heard(budget, now)
        return max([known.at, *self.made[-1:]]) + budget.pause if known and known.crowded else None

    def _opens(self, budget: Budget, now: datetime, promised: tuple[datetime, ...]) -> datetime | None:
        """Say when there is room for one more than those who are promised theirs; ``None`` when there is already."""
        coming = (*self._counting(budget, now), *promised)
        leaving = len(coming) - self._room(budget, now)
        if leaving < 0:
            return None
        left = [time + budget.window for time in coming[leaving : leaving + 1]]
        look = self._look(budget, now)
        return min([*left, look] if look else left)
