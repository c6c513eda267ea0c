"""The statuses that are posted, by name: a contract with operators and with other programs."""

from enum import StrEnum

_TYPE_PREFIX = "gallery-fanout."


class NoticeType(StrEnum):
    """The statuses that are posted."""

    ROLLOUT_STARTED = "rollout.started"
    ROLLOUT_COMPLETED = "rollout.completed"
    REGION_FAILED = "rollout.region-failed"
    ROLLOUT_STALLED = "rollout.stalled"
    PRUNE_COMPLETED = "prune.completed"
    PRUNE_REFUSED = "prune.refused"
    PUBLISH_FAILED = "publish.failed"
    LIMIT_NEAR = "limit.near"
    DEAD_LETTERED = "message.dead-lettered"
    PLAN_REPORTED = "plan.reported"

    @property
    def event_type(self) -> str:
        """The ``type`` of its CloudEvent."""
        return _TYPE_PREFIX + self
