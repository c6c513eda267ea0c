"""Statuses as they come from the core: one of every type, and some that are hard to show."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.core.model import ImageVersion, RegionState
from shared.core.notices import (
    Notice,
    NoticeType,
    dead_letter_news,
    failure_news,
    plan_news,
    prune_news,
    replicas_news,
    rollout_news,
)
from shared.core.plan import Action, Line
from shared.core.planner import plan, spread
from shared.core.policy import Policy
from shared.core.pruning import Pruning
from shared.core.rollout import Rollout
from shared.core.target_regions import RegionTarget
from tests.core.build import HOME, HOUR, NOW, definition, policy, region, version, version_id

_BEGUN = NOW - HOUR
_ROLLOUT = Rollout(started=_BEGUN, deadline=NOW + HOUR, completed={HOME: NOW - timedelta(minutes=50)})
_NEW = version("1.0.3", HOME, region("eastus2", RegionState.REPLICATING, progress=40), region("uksouth", replicas=2))
_LINES = spread(_NEW, policy("westeurope eastus2 southeastasia uksouth=2"), NOW)
_OLD = version("1.0.1", region(HOME, replicas=2), "eastus2", "uksouth", "japaneast")
_PLAN = plan(
    definition(_OLD, version("1.0.2", HOME, "eastus2", "uksouth")),
    policy("westeurope eastus2 uksouth brazil"),
    now=NOW,
)


def _pruning(made: Any, before: ImageVersion) -> Pruning:
    return Pruning.of(made.of(before.number), None, NOW)


_PRUNING = _pruning(_PLAN, _OLD)
_FAILURE = {"region": "southeastasia", "reason": "internal error"}
_NOTICES = [
    *(
        rollout_news(kind, _NEW, _ROLLOUT, _LINES, NOW, **more)
        for kind, more in {
            NoticeType.ROLLOUT_STARTED: {},
            NoticeType.ROLLOUT_COMPLETED: {},
            NoticeType.REGION_FAILED: _FAILURE,
            NoticeType.ROLLOUT_STALLED: {},
        }.items()
    ),
    prune_news(NoticeType.PRUNE_COMPLETED, _OLD.id, _PRUNING),
    prune_news(NoticeType.PRUNE_REFUSED, _OLD.id, _PRUNING.refusing("ScopeLocked: the gallery has a lock", NOW)),
    failure_news(version_id("1.0.3"), "Failed", "ImageCreationFailed: there is no source"),
    replicas_news(version_id("1.0.3"), 60, "1.0.3 has 60 replicas in all; Azure advises 50 at most"),
    dead_letter_news("watch", "garbage", "it is not JSON", None, "1"),
    plan_news(_PLAN),
]
EVENTS: dict[NoticeType, dict[str, Any]] = {notice.type: notice.event(NOW) for notice in _NOTICES}


# What a rollout, a plan and a limit have to say beside regions

_CAUSED = replace(_ROLLOUT, cause="1.0.4 was deleted")
_SUPERSEDING = replace(_ROLLOUT, supersedes=("1.0.1", "1.0.2"))
_WARNED = replace(_ROLLOUT, warnings=("1.0.3 has 60 replicas in all; Azure advises 50 at most", "the tag is malformed"))
_WHOLE = replace(_CAUSED, supersedes=_SUPERSEDING.supersedes, warnings=_WARNED.warnings)
_HOME_ONLY = version("1.0.3", HOME)


def _started(rollout: Rollout) -> Notice:
    return rollout_news(NoticeType.ROLLOUT_STARTED, _HOME_ONLY, rollout, [_at_home()], NOW)


def _without(*lines: Line, kind: NoticeType = NoticeType.ROLLOUT_STARTED, **more: Any) -> Notice:
    return rollout_news(kind, _NEW, _ROLLOUT, [_at_home(), *lines], NOW, **more)


def _at_home() -> Line:
    return Line(HOME, Action.KEEP, "the policy names it", replicas=1, named=True, wave=1)


def _waits(name: str, reason: str, **more: Any) -> Line:
    return Line(name, Action.WAIT, reason, replicas=1, named=True, wave=2, **more)


def _skipped(name: str, reason: str, **more: Any) -> Line:
    return Line(name, Action.SKIP, reason, named=True, wave=1, **more)


_WITHDRAWN = replace(
    plan(definition(_OLD, version("1.0.2", HOME, "eastus2")), policy("westeurope eastus2 brazil"), now=NOW),
    withdrawn="1.0.4 was deleted",
    warnings=("the tag is malformed",),
    capped=7,
)
NEW_FACTS: dict[str, dict[str, Any]] = {
    name: notice.event(NOW)
    for name, notice in {
        "because": _started(_CAUSED),
        "supersedes": _started(_SUPERSEDING),
        "warnings": _started(_WARNED),
        "all of them": _started(_WHOLE),
        "of a failure": rollout_news(NoticeType.REGION_FAILED, _HOME_ONLY, _WHOLE, [_at_home()], NOW, **_FAILURE),
        "at the end": rollout_news(NoticeType.ROLLOUT_COMPLETED, _HOME_ONLY, _WHOLE, [_at_home()], NOW),
        "a wave that waits": _without(
            Line("eastus2", Action.KEEP, "the policy names it", replicas=1, named=True, wave=1),
            _waits("southeastasia", "wave 1 comes first"),
            _waits("japaneast", "wave 1 comes first"),
        ),
        "a wave that bakes": _without(_waits("southeastasia", "wave 1 bakes for 4 h", until=NOW + HOUR)),
        "a wave that is stopped": _without(
            _waits("japaneast", "wave 1 is stopped"), kind=NoticeType.REGION_FAILED, **_FAILURE
        ),
        "no encryption set": _without(_skipped("japaneast", "it has no disk encryption set")),
        "too many replicas": _without(
            _skipped("japaneast", "101 replicas in all", over_limit=True),
            _skipped("brazil", "101 replicas in all", over_limit=True),
        ),
        "both": _without(_skipped("japaneast", "no set"), _waits("southeastasia", "wave 1 comes first")),
        "a plan": plan_news(_WITHDRAWN),
        "a limit": replicas_news(version_id("1.0.3"), 60, "1.0.3 has 60 replicas in all; Azure advises 50 at most"),
    }.items()
}


# Long ones

_HUNDRED = tuple(f"southregion{number}" for number in range(100))
_WIDE = Policy(tuple(RegionTarget(name, 1) for name in _HUNDRED))
_OLD_WIDE = version("1.0.1", HOME, *_HUNDRED)
_NEW_WIDE = replace(_OLD_WIDE, id=version_id("1.0.2"))


def hundred_regions() -> dict[str, dict[str, Any]]:
    """Give statuses about a hundred regions, of every shape."""
    rollout = rollout_news(NoticeType.ROLLOUT_COMPLETED, _NEW_WIDE, _ROLLOUT, spread(_NEW_WIDE, _WIDE, NOW), NOW)
    removed = plan(definition(_OLD_WIDE, _NEW_WIDE), _WIDE, now=NOW)
    failed = replace(_NEW_WIDE, regions=tuple(replace(each, state=RegionState.FAILED) for each in _NEW_WIDE.regions))
    kept = _pruning(plan(definition(_OLD_WIDE, failed), _WIDE, now=NOW), _OLD_WIDE)
    wordy = replace(kept, kept={name: f"{reason}, {'and so on ' * 20}" for name, reason in kept.kept.items()})
    kind = NoticeType.PRUNE_COMPLETED
    return {
        "rollout": rollout.event(NOW),
        "removed": prune_news(kind, _OLD_WIDE.id, _pruning(removed, _OLD_WIDE)).event(NOW),
        "kept": prune_news(kind, _OLD_WIDE.id, kept).event(NOW),
        "wordy": prune_news(kind, _OLD_WIDE.id, wordy).event(NOW),
        "plan": plan_news(removed).event(NOW),
        **{name: notice.event(NOW) for name, notice in _reasoned(100).items()},
    }


def sixty_reasons() -> dict[str, dict[str, Any]]:
    """Give statuses about sixty regions that all have a reason, with every fact that can stand above them."""
    return {name: notice.event(NOW) for name, notice in _reasoned(60).items()}


def _reasoned(count: int) -> dict[str, Notice]:
    names = _HUNDRED[:count]
    waiting = [_waits(name, "wave 1 comes first: westeurope is 40 % replicated") for name in names]
    skipped = [_skipped(name, "the version is encrypted, and there is no disk encryption set") for name in names]
    wordy = [replace(line, reason=f"{line.reason}, {'and so on ' * 60}") for line in waiting]
    whole = replace(
        _WHOLE,
        supersedes=tuple(f"1.0.{number}" for number in range(count)),
        warnings=tuple(f"warning {number}: {'look at this ' * 60}" for number in range(3)),
    )
    used = Pruning(NOW, ("eastus2",), {name: f"scale set web-{name} references 1.0.1" for name in names}, 30)
    return {
        "all wait": _of(_ROLLOUT, waiting),
        "all wait, and much is said": _of(whole, waiting),
        "all are skipped": _of(_ROLLOUT, skipped),
        "half wait, half are skipped": _of(whole, [*waiting[::2], *skipped[1::2]]),
        "all with long reasons": _of(_ROLLOUT, wordy),
        "all with long reasons, and much is said": _of(whole, wordy),
        "all in use": prune_news(NoticeType.PRUNE_COMPLETED, _OLD.id, used),
    }


def _of(rollout: Rollout, lines: Sequence[Line]) -> Notice:
    return rollout_news(NoticeType.ROLLOUT_STARTED, _NEW, rollout, [_at_home(), *lines], NOW)


# What other parts of the app tell, in the shape that they give it


def _told(kind: str, version: str | None, **data: Any) -> dict[str, Any]:
    """Make a status by hand."""
    about = _HOME_ONLY.id if version else _HOME_ONLY.id.image
    event = Notice(NoticeType.ROLLOUT_STARTED, about, kind, data).event(NOW)
    return {**event, "type": f"gallery-fanout.{kind}", "data": {**event["data"], "version": version}}


_KEPT_AT_HOME = {"name": HOME, "reason": "its home region"}
_KEPT_IN_USE = {"name": "southeastasia", "reason": "scale set web-legacy references 1.0.1"}
DIGEST = _told(
    "prune.completed",
    None,
    prunes=[
        {
            "version": f"1.0.{number}",
            "regionsRemoved": ["eastus2", "uksouth", "japaneast"][: number % 3 + 1],
            "regionsKept": [_KEPT_AT_HOME, _KEPT_IN_USE] if number == 1 else [_KEPT_AT_HOME],
            "gibFreed": 60 * number,
            "monthlySaving": 3.0 * number,
        }
        for number in range(1, 6)
    ],
    gibFreed=900,
    monthlySaving=1045.5,
    prunesCut=2,
)
"""What came of a pass, for people."""

OTHERS: dict[str, dict[str, Any]] = {
    "a saving": _told(
        "prune.completed",
        "1.0.1",
        regionsRemoved=["eastus2", "uksouth"],
        regionsKept=[_KEPT_AT_HOME, _KEPT_IN_USE],
        gibFreed=60,
        monthlySaving=3,
    ),
    "a digest": DIGEST,
    "versions": _told("limit.near", None, limit="versions", used=9012, of=10_000, reason="9012 versions have ..."),
    "a cut plan": {
        **EVENTS[NoticeType.PLAN_REPORTED],
        "data": {**EVENTS[NoticeType.PLAN_REPORTED]["data"], "changesCut": 7},
    },
}
EVERY_EVENT: dict[str, dict[str, Any]] = {**EVENTS, **OTHERS, **NEW_FACTS, **hundred_regions(), **sixty_reasons()}
"""Statuses of every kind and size."""


def twelve_regions() -> dict[str, Any]:
    """Give a rollout on its way through three waves, with a region of every state."""
    states = {
        "westeurope": ("Completed", 100, 3, 0),
        "northeurope": ("Completed", 100, 2, 640),
        "uksouth": ("Completed", 100, 1, 725),
        "francecentral": ("Completed", 100, 1, 1410),
        "eastus2": ("Completed", 100, 6, 2285),
        "westus3": ("Replicating", 85, 2, 3600),
        "brazilsouth": ("Failed", None, 1, 3600),
        "japaneast": ("Replicating", 40, 1, 3600),
        "southeastasia": ("Requested", None, 1, 3600),
        "australiaeast": ("Waiting", None, 1, 3600),
        "southafricanorth": ("Waiting", None, 1, 3600),
        "qatarcentral": ("Skipped", None, 0, 3600),
    }
    reasons = {
        "Waiting": "wave 2 comes first",
        "Skipped": "the version is encrypted, and there is no disk encryption set",
    }
    regions = [
        {
            "name": name,
            "replicas": replicas,
            "storageAccountType": "Standard_LRS",
            "state": state,
            "progress": progress,
            "seconds": seconds,
            **({"reason": reasons[state]} if state in reasons else {}),
        }
        for name, (state, progress, replicas, seconds) in states.items()
    ]
    reason = "Replication job not completed at region: brazilsouth"
    return _told("rollout.region-failed", "1.0.3", region="brazilsouth", reason=reason, seconds=3600, regions=regions)


def sixty_regions(state: str) -> dict[str, Any]:
    """Give a rollout over sixty regions with long names, all in one state."""
    reason = {"reason": "wave 2 comes first"} if state in ("Waiting", "Skipped") else {}
    region = {"replicas": 10, "storageAccountType": None, "state": state, "progress": 40, "seconds": 86_399, **reason}
    regions = [{**region, "name": f"australiasoutheast{number}"} for number in range(60)]
    return _told("rollout.completed", "1.0.3", regions=regions, seconds=86_399)


# Names and reasons that want to be more than text

HOSTILE = [
    "**bold** _it_ ~s~ `code`",
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "- list 1. list # title",
    "<at>everyone</at>",
    "<!channel>",
    "<!here|here>",
    "<@U012AB3CD>",
    "<https://evil.example|safe>",
    "<script>window.pwned = 1</script>",
    "<img src=x onerror=window.pwned=1>",
    "&lt;b&gt;",
    ":tada: @channel #general",
    "{{DATE(2025-03-01)}} ${image} {image} {0} %s",
    "{image.__class__}",
    '"quoted" \\ backslash',
    "\u05d0\u05d1\u05d2 right to left \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "\U0001f469\u200d\U0001f680 \U0001f600 e\u0301",
    "x" * 200,
]
FIELDS = ("image", "gallery", "region", "reason", "cause", "queue", "state", "tried")


def planted(text: str) -> dict[str, Any]:
    """Give a status whose every name is this text."""
    event = copy.deepcopy(EVENTS[NoticeType.REGION_FAILED])
    event["data"] |= dict.fromkeys(FIELDS, text) | {"version": "1.0.3", "supersedes": [text], "warnings": [text]}
    event["data"]["regionsRemoved"] = [text]
    event["data"]["regions"] = [{**region, "name": text, "reason": text} for region in event["data"]["regions"]]
    return event
