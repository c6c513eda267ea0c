"""How the simulated Azure behaves: paces, failures and switches for what is not known about the real one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long something takes: a number of seconds, a number of reads over HTTP, or no time at all."""

    seconds: float = 0.0
    read_count: int = 0

    @classmethod
    def at_once(cls) -> Self:
        """Be done as soon as the write is answered."""
        return cls()

    @classmethod
    def after(cls, seconds: float) -> Self:
        """Be done that many seconds after the write."""
        return cls(seconds=seconds)

    @classmethod
    def reads(cls, count: int) -> Self:
        """Be done once the version (GET) or its operation (poll) was read `count` times; lists do not count."""
        return cls(read_count=count)

    def fraction(self, *, seconds: float, reads: int) -> float:
        """Return how much is done, 0.0 to 1.0, so long after the start."""
        parts = [seconds / self.seconds] if self.seconds else []
        parts += [reads / self.read_count] if self.read_count else []
        return max(0.0, min([1.0, *parts]))


_SOON: Final = Pace.after(0.2)
_LATER: Final = Pace.after(1.0)


@dataclass(frozen=True, slots=True)
class Fault:
    """What ARM answers instead of doing what was asked, for the next `times` requests that match.

    `method` is an HTTP method or `*`; `path_regex` is searched in the path, case-blind; `retry_after` is in seconds.
    `status` 0 is no answer at all: the connection is cut. With `done` the request is carried out all the same, and only
    its answer is this one.
    """

    method: str
    path_regex: str
    status: int
    code: str
    message: str
    retry_after: float | None = None
    times: int = 1
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """All that can be tuned. The defaults are a healthy Azure, some thousand times faster.

    `create`, `update`, `delete` say how long `provisioningState` stays Creating, Updating, Deleting.
    `replicate` counts from the accepted write until a new region is Completed; it may be longer than `create`, as the
    real `Succeeded` has been seen ten minutes before `Completed`. `removal` is how long a region that was taken out
    stays in `replicationStatus` (None: until the update ends).
    `failing_regions` says how many replications into a region fail before one works (-1: all). A write that starts
    one ends with it, so that its operation can say Failed.
    `graph_incomplete` makes Resource Graph leave something out and say so in one of its two ways: "truncated" (there
    are no pages, and the last record at least is not shown) or "limit-hit" (a query without `subscriptions` does not
    see the last one, as if more than 10,000 came before it).
    `enforce_budgets` answers 429 to a call whose budget of 3 or 30 minutes is used up; `budgets` replaces the usual
    ones, by their names without the window: `{"CreateUpdateGalleryImageVersion": (375, 1200)}`. `budget_window`
    says how one comes back: all at once when its window is over, or call by call.
    `closed_regions` are those that no version may get any more; where it is it stays. `zoneless_regions` have no
    availability zones, and so no Standard_ZRS for what is added. `disallowed_regions` are those that an Azure Policy
    disallows: it looks at all that a version would be, also where it is already.
    `event_delays` has an entry for each copy of an event, how many seconds late it is: none at all loses events, two
    double them, and a change from a long one to a short one delivers them in another order.
    """

    create: Pace = _SOON
    update: Pace = _SOON
    delete: Pace = _SOON
    replicate: Pace = _LATER
    replicate_by_region: Mapping[str, Pace] = field(default_factory=dict)
    removal: Pace | None = None
    failing_regions: Mapping[str, int] = field(default_factory=dict)
    failed_region_fails_version: bool = False
    closed_regions: frozenset[str] = frozenset()
    zoneless_regions: frozenset[str] = frozenset()
    disallowed_regions: frozenset[str] = frozenset()
    # Unverified: what Azure answers to a write while the version is Updating. Lost regions have been seen ("accept").
    write_while_updating: Literal["accept", "conflict"] = "accept"
    # Unverified: whether allowDeletionOfReplicatedLocations and the removal that needs it may share one write.
    flag_with_removal: bool = True
    page_size: int = 50
    graph_page_size: int = 1000
    graph_incomplete: Literal["no", "truncated", "limit-hit"] = "no"
    unlisted: frozenset[str] = frozenset()
    event_delays: tuple[float, ...] = (0.0,)
    faults: tuple[Fault, ...] | list[Fault] = ()
    # Unverified: whether Azure ever gives a date; HTTP allows it.
    retry_after: Literal["seconds", "date"] = "seconds"
    extra_headers: Mapping[str, str] = field(default_factory=dict)
    # Newer poll URLs carry about 3.5 KB of signed query (seen in captured traffic).
    signed_poll_urls: bool = True
    enforce_budgets: bool = False
    budgets: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    # Unverified: how a budget comes back.
    budget_window: Literal["fixed", "sliding"] = "fixed"
