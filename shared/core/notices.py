"""What is news, and the CloudEvent that carries it. Its names and fields are a contract with other programs."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from shared.core.batch import Batch
from shared.core.fitting import fitted
from shared.core.model import ImageVersion
from shared.core.names import ImageId, VersionId
from shared.core.notice_type import NoticeType
from shared.core.plan import MOST_VERSIONS, Action, Line, Plan
from shared.core.pruning import Pruning
from shared.core.rollout import Rollout
from shared.core.target_regions import MOST_REPLICAS
from shared.core.times import iso

_IDS = uuid.UUID("5b1f3a0e-8a53-4f0e-9f0c-0f5d6a1d2c77")
_UNKNOWN_SOURCE = "urn:gallery-fanout"
_LONGEST_EXCERPT = 300
_LONGEST_DATA = 40_000  # characters of JSON: with what is around it, it fits into a queue's message of 48 KiB
_VERSIONS_STEP = 100


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
        name = f"{self.about}|{self.type}|{self.key}".casefold()
        return str(uuid.uuid5(_IDS, name.encode(errors="backslashreplace")))  # Azure's JSON may hold half a letter

    def again(self, number: int) -> Self:
        """Give what is news once more: it was so before, was not since, and is again.

        :param number: tells this time from others.
        """
        return replace(self, key=f"{self.key}|{number}")

    def event(self, now: datetime) -> dict[str, Any]:
        """Give the CloudEvent 1.0 in structured form."""
        image = self.about.image if isinstance(self.about, VersionId) else self.about
        version = self.about.number if isinstance(self.about, VersionId) else None
        named = {
            "gallery": str(image.gallery.gallery) if image else None,
            "image": str(image.image) if image else None,
            "version": str(version) if version else None,
        }
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": self.id,
            "source": str(image) if image else _UNKNOWN_SOURCE,
            "type": self.type.event_type,
            "time": now.isoformat(),
            "datacontenttype": "application/json",
            "data": {**named, **fitted(self.data, _LONGEST_DATA)},
        }
        return {**event, "subject": str(self.about)} if version else event


def rollout_news(
    kind: NoticeType, version: ImageVersion, rollout: Rollout, lines: Sequence[Line], now: datetime, **more: Any
) -> Notice:
    """Tell of a rollout: each region that the policy names, with its state.

    :param more: further fields of the event's data; they tell this news from others of its kind.
    """
    regions = [_region(version, line, rollout, now) for line in lines]
    key = "|".join([str(rollout.number), rollout.started.isoformat(), *(str(value) for value in more.values())])
    seconds = round((now - rollout.started).total_seconds())
    return Notice(kind, version.id, key, {"regions": regions, "seconds": seconds, **_background(kind, rollout), **more})


def _background(kind: NoticeType, rollout: Rollout) -> dict[str, Any]:
    """Say why there is a rollout, where that is not simply the publishing; its start says what came of others."""
    told: dict[str, Any] = {"cause": rollout.cause}
    if kind is NoticeType.ROLLOUT_STARTED:
        told |= {"supersedes": list(rollout.supersedes), "warnings": list(rollout.warnings)}
    return {name: value for name, value in told.items() if value}


_STATES = {Action.ADD: "Requested", Action.SIZE: "Requested", Action.WAIT: "Waiting", Action.SKIP: "Skipped"}


def _region(version: ImageVersion, line: Line, rollout: Rollout, now: datetime) -> dict[str, Any]:
    region = version.region(line.region)
    done = rollout.completed.get(line.region)
    told = {
        "name": line.region,
        "replicas": region.replicas if region else line.replicas,
        "storageAccountType": region.storage_account_type if region else line.storage_account_type,
        "state": region.state.value if region else _STATES[line.action],
        "progress": region.progress if region else None,
        "seconds": max(round(((done or now) - rollout.started).total_seconds()), 0),
    }
    return {**told, "reason": line.reason} if line.action in (Action.WAIT, Action.SKIP) else told


def prune_news(kind: NoticeType, version: VersionId, pruning: Pruning, price: Decimal | None = None) -> Notice:
    """Tell of a prune, from what was remembered when it was written; one that was refused has removed nothing.

    :param price: of a GiB for a month, where it is known.
    """
    kept = dict(pruning.kept)
    data: dict[str, Any] = {"regionsRemoved": list(pruning.removed), "gibFreed": pruning.gib_freed}
    if kind is NoticeType.PRUNE_REFUSED:
        kept = dict.fromkeys(pruning.removed, "Azure refused to remove it") | kept
        data = {"regionsRemoved": [], "gibFreed": 0, "reason": pruning.refused}
    data["regionsKept"] = [{"name": name, "reason": reason} for name, reason in kept.items()]
    if price is not None and data["gibFreed"]:
        data["monthlySaving"] = float(round(price * pruning.gib_freed, 2))
    return Notice(kind, version, f"{pruning.asked.isoformat()}|{data.get('reason', '')}", data)


def batch_news(image: ImageId, name: str, batch: Batch) -> Notice | None:
    """Tell people of all that came of one pass; ``None`` when nothing was pruned.

    :param name: of the batch.
    """
    pruned, key = batch.pruned, f"batch|{name}|{iso(batch.begun)}"
    if not pruned:
        return None
    if len(pruned) == 1:
        ((number, facts),) = pruned.items()
        return Notice(NoticeType.PRUNE_COMPLETED, VersionId(image, number), key, facts)
    data: dict[str, Any] = {
        "prunes": [{"version": number.name, **facts} for number, facts in pruned.items()],
        "gibFreed": sum(facts["gibFreed"] for facts in pruned.values()),
    }
    savings = [facts["monthlySaving"] for facts in pruned.values() if "monthlySaving" in facts]
    if savings:
        data["monthlySaving"] = round(sum(savings), 2)
    return Notice(NoticeType.PRUNE_COMPLETED, image, key, data)


def failure_news(version: VersionId, state: str, reason: str) -> Notice:
    """Tell that a version was not made, or not well."""
    return Notice(NoticeType.PUBLISH_FAILED, version, "", {"state": state, "reason": reason})


def plan_news(plan: Plan) -> Notice:
    """Tell what a pass would do; the same changes are the same news, whatever time has done to their reasons.

    Nor does it matter why the newest is an older one than it was: that is so in one pass only.
    """
    changes = [(each.version.number.name, line) for each in plan.versions for line in each.changes]
    told = [
        {"version": number, "region": line.region, "action": line.action.value, "reason": line.reason}
        for number, line in changes
    ]
    same = [(number, replace(line, reason="", until=None)) for number, line in changes]
    about = VersionId(plan.image, plan.newest.number) if plan.newest else plan.image
    more = {"cause": plan.withdrawn, "warnings": list(plan.warnings), "capped": plan.capped}
    data = {"changes": told, **{name: value for name, value in more.items() if value}}
    return Notice(NoticeType.PLAN_REPORTED, about, repr((same, plan.warnings)), data)


def versions_news(image: ImageId, home: str, used: int, *, definitions: int = 1) -> Notice:
    """Tell that the versions of an image definition come near Azure's limit; a hundred more are news again.

    :param definitions: over how many image definitions they are counted; ``image`` has most of them.
    """
    reason, key = f"{used} versions have their home in {home}", f"versions|{home}"
    limit = f"Azure takes {MOST_VERSIONS} in a subscription and region"
    if definitions > 1:
        reason, key = f"{reason}, counted over {definitions} image definitions of which this one has most", f"{key}|all"
        limit = f"{limit}, over all galleries"
    data = {"limit": "versions", "used": used, "of": MOST_VERSIONS, "reason": f"{reason}; {limit}"}
    return Notice(NoticeType.LIMIT_NEAR, image, f"{key}|{used // _VERSIONS_STEP}", data)


def replicas_news(version: VersionId, used: int, reason: str) -> Notice:
    """Tell that a version comes near Azure's limit of replicas, or would pass it."""
    data = {"limit": "replicas", "used": used, "of": MOST_REPLICAS, "reason": reason}
    return Notice(NoticeType.LIMIT_NEAR, version, f"replicas|{used}", data)


def dead_letter_news(queue: str, body: str, reason: str, about: ImageId | VersionId | None, key: str) -> Notice:
    """Tell of a message that nobody could handle."""
    excerpt = body if len(body) <= _LONGEST_EXCERPT else f"{body[:_LONGEST_EXCERPT]}..."
    return Notice(NoticeType.DEAD_LETTERED, about, key, {"queue": queue, "reason": reason, "message": excerpt})
