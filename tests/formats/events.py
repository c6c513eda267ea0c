"""Statuses as they come from the core: one of every type, and some that are hard to show."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.core.model import RegionState
from shared.core.notices import NoticeType, dead_letter_news, plan_news, prune_news, pruning_of, rollout_news
from shared.core.planner import plan, spread
from shared.core.policy import Policy, RegionTarget
from shared.core.rollout import Rollout
from tests.core.build import HOME, HOUR, NOW, definition, policy, region, version

_ROLLOUT = Rollout(started=NOW - HOUR, deadline=NOW + HOUR, completed={HOME: NOW - timedelta(minutes=50)})
_NEW = version("1.0.3", HOME, region("eastus2", RegionState.REPLICATING, progress=40), region("uksouth", replicas=2))
_LINES = spread(_NEW, policy("westeurope eastus2 southeastasia uksouth=2"))
_OLD = version("1.0.1", region(HOME, replicas=2), "eastus2", "uksouth", "japaneast")
_PLAN = plan(
    definition(_OLD, version("1.0.2", HOME, "eastus2", "uksouth")), policy("westeurope eastus2 uksouth brazil")
)
_PRUNING = pruning_of(_PLAN.of(_OLD.number), NOW)
_FAILURE = {"region": "southeastasia", "reason": "internal error"}

EVENTS: dict[NoticeType, dict[str, Any]] = {
    NoticeType.ROLLOUT_STARTED: rollout_news(NoticeType.ROLLOUT_STARTED, _NEW, _ROLLOUT, _LINES, NOW).event(NOW),
    NoticeType.ROLLOUT_COMPLETED: rollout_news(NoticeType.ROLLOUT_COMPLETED, _NEW, _ROLLOUT, _LINES, NOW).event(NOW),
    NoticeType.REGION_FAILED: rollout_news(NoticeType.REGION_FAILED, _NEW, _ROLLOUT, _LINES, NOW, **_FAILURE).event(
        NOW
    ),
    NoticeType.ROLLOUT_STALLED: rollout_news(NoticeType.ROLLOUT_STALLED, _NEW, _ROLLOUT, _LINES, NOW).event(NOW),
    NoticeType.PRUNE_COMPLETED: prune_news(NoticeType.PRUNE_COMPLETED, _OLD.id, _PRUNING).event(NOW),
    NoticeType.PRUNE_REFUSED: prune_news(NoticeType.PRUNE_REFUSED, _OLD.id, {**_PRUNING, "reason": "no"}).event(NOW),
    NoticeType.DEAD_LETTERED: dead_letter_news("watch", "garbage", "it is not JSON", None, "1").event(NOW),
    NoticeType.PLAN_REPORTED: plan_news(_PLAN).event(NOW),
}

_HUNDRED = tuple(f"southregion{number}" for number in range(100))
_WIDE = Policy(tuple(RegionTarget(name, 1) for name in _HUNDRED))
_OLD_WIDE = version("1.0.1", HOME, *_HUNDRED)
_NEW_WIDE = replace(_OLD_WIDE, id=version("1.0.2").id)
_HELD_WIDE = replace(_OLD_WIDE, published=None)


def hundred_regions() -> dict[str, dict[str, Any]]:
    """Give statuses about a hundred regions, of every shape."""
    rollout = rollout_news(NoticeType.ROLLOUT_COMPLETED, _NEW_WIDE, _ROLLOUT, spread(_NEW_WIDE, _WIDE), NOW)
    removed = plan(definition(_OLD_WIDE, _NEW_WIDE), _WIDE)
    failed = replace(_NEW_WIDE, regions=tuple(replace(each, state=RegionState.FAILED) for each in _NEW_WIDE.regions))
    kept = plan(definition(_OLD_WIDE, failed), _WIDE).of(_OLD_WIDE.number)
    held = plan(definition(_HELD_WIDE, _NEW_WIDE), _WIDE).of(_OLD_WIDE.number)
    wordy = [
        {**line, "reason": f"{line['reason']}, {'and so on ' * 20}"} for line in pruning_of(kept, NOW)["regionsKept"]
    ]
    kind = NoticeType.PRUNE_COMPLETED
    return {
        "rollout": rollout.event(NOW),
        "removed": prune_news(kind, _OLD_WIDE.id, pruning_of(removed.of(_OLD_WIDE.number), NOW)).event(NOW),
        "kept": prune_news(kind, _OLD_WIDE.id, pruning_of(kept, NOW)).event(NOW),
        "held": prune_news(kind, _OLD_WIDE.id, pruning_of(held, NOW)).event(NOW),
        "wordy": prune_news(kind, _OLD_WIDE.id, {**pruning_of(kept, NOW), "regionsKept": wordy}).event(NOW),
        "plan": plan_news(removed).event(NOW),
    }
