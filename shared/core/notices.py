"""What is news, and the CloudEvent that carries it. Its names and fields are a contract with other programs."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.core.model import ImageVersion
from shared.core.names import ImageId, VersionId
from shared.core.plan import Line, Plan, VersionPlan
from shared.core.rollout import Rollout

_TYPE_PREFIX = "gallery-fanout."
_IDS = uuid.UUID("5b1f3a0e-8a53-4f0e-9f0c-0f5d6a1d2c77")
_UNKNOWN_SOURCE = "urn:gallery-fanout"
_LONGEST_EXCERPT = 300


class NoticeType(StrEnum):
    """The statuses that are posted."""

    ROLLOUT_STARTED = "rollout.started"
    ROLLOUT_COMPLETED = "rollout.completed"
    REGION_FAILED = "rollout.region-failed"
    ROLLOUT_STALLED = "rollout.stalled"
    PRUNE_COMPLETED = "prune.completed"
    PRUNE_REFUSED = "prune.refused"
    DEAD_LETTERED = "message.dead-lettered"
    PLAN_REPORTED = "plan.reported"

    @property
    def event_type(self) -> str:
        """The ``type`` of its CloudEvent."""
        return _TYPE_PREFIX + self


@dataclass(frozen=True, slots=True)
class Notice:
    """One piece of news.

    :param about: the image definition or version; ``None`` when that could not be found out.
    :param key: tells this news from others of its type about the same thing; the same news has the same key, however
        often its cause is delivered, and so the same CloudEvents ``id``.
    """

    type: NoticeType
    about: ImageId | VersionId | None
    key: str
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The CloudEvents ``id``: the same for the same news."""
        return str(uuid.uuid5(_IDS, f"{self.about}|{self.type}|{self.key}".casefold()))

    def event(self, now: datetime) -> dict[str, Any]:
        """Give the CloudEvent 1.0 in structured form."""
        image = self.about.image if isinstance(self.about, VersionId) else self.about
        version = self.about.number if isinstance(self.about, VersionId) else None
        named = {
            "gallery": str(image.gallery.gallery) if image else None,
            "image": str(image.image) if image else None,
            "version": str(version) if version else None,
        }
        event = {
            "specversion": "1.0",
            "id": self.id,
            "source": str(image) if image else _UNKNOWN_SOURCE,
            "type": self.type.event_type,
            "time": now.isoformat(),
            "datacontenttype": "application/json",
            "data": {**named, **self.data},
        }
        return {**event, "subject": str(self.about)} if version else event


def rollout_news(
    kind: NoticeType, version: ImageVersion, rollout: Rollout, lines: Sequence[Line], now: datetime, **more: Any
) -> Notice:
    """Tell of a rollout: each region that the policy names, with its state."""
    regions = [_region(version, line, rollout, now) for line in lines]
    key = "|".join([str(rollout.number), rollout.started.isoformat(), *(str(value) for value in more.values())])
    seconds = round((now - rollout.started).total_seconds())
    return Notice(kind, version.id, key, {"regions": regions, "seconds": seconds, **more})


def _region(version: ImageVersion, line: Line, rollout: Rollout, now: datetime) -> dict[str, Any]:
    region = version.region(line.region)
    done = rollout.completed.get(line.region)
    return {
        "name": line.region,
        "replicas": region.replicas if region else line.replicas,
        "storageAccountType": region.storage_account_type if region else line.storage_account_type,
        "state": region.state.value if region else ("Skipped" if not line.changes else "Requested"),
        "progress": region.progress if region else None,
        "seconds": round(((done or now) - rollout.started).total_seconds()),
    }


def prune_news(kind: NoticeType, version: VersionId, pruning: Mapping[str, Any]) -> Notice:
    """Tell of a prune, from what was remembered when it was written (:func:`pruning_of`)."""
    data = {name: value for name, value in pruning.items() if name not in ("asked", "taken")}
    return Notice(kind, version, f"{pruning['asked']}|{pruning.get('reason', '')}", data)


def pruning_of(plan: VersionPlan, now: datetime) -> dict[str, Any]:
    """Say what a prune is about to do, before it is written, so that its end can be told even after a crash.

    ``gibFreed`` is an upper bound: Azure bills what the replicas really occupy.
    """
    gone = [plan.version.region(line.region) for line in plan.removals]
    replicas = sum(region.replicas for region in gone if region)
    kept = [{"name": line.region, "reason": line.reason} for line in plan.lines if line not in plan.removals]
    return {
        "asked": now.isoformat(),
        "regionsRemoved": [line.region for line in plan.removals],
        "regionsKept": kept,
        "gibFreed": plan.version.disk_gib * replicas,
    }


def plan_news(plan: Plan) -> Notice:
    """Tell what a pass would do; the same plan is the same news."""
    lines = [
        {"version": str(each.version.number), "region": line.region, "action": line.action.value, "reason": line.reason}
        for each in plan.versions
        for line in each.changes
    ]
    about = VersionId(plan.image, plan.newest.number) if plan.newest else plan.image
    return Notice(NoticeType.PLAN_REPORTED, about, repr(lines), {"changes": lines})


def dead_letter_news(queue: str, body: str, reason: str, about: ImageId | VersionId | None, key: str) -> Notice:
    """Tell of a message that nobody could handle."""
    excerpt = body if len(body) <= _LONGEST_EXCERPT else f"{body[:_LONGEST_EXCERPT]}..."
    return Notice(NoticeType.DEAD_LETTERED, about, key, {"queue": queue, "reason": reason, "message": excerpt})
