"""What operators decided, as frozen values."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from shared.core.names import GalleryId, ImageId
from shared.core.policy import Policy


class InUse(StrEnum):
    """Which running resources protect the regions of the version that they reference."""

    SCALE_SETS = "scale-sets"
    ALL = "all"
    OFF = "off"


class WebhookKind(StrEnum):
    """Who reads what is posted."""

    TEAMS = "teams"
    SLACK = "slack"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver of statuses. Its URL is a credential and stays out of every representation.

    :param name: its position and kind, for example ``1-teams``: how messages, logs and tables call it.
    """

    name: str
    kind: WebhookKind
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Storage:
    """Where queues and table are: a connection string, or addresses that the app's identity may use."""

    connection_string: str | None = field(repr=False)
    queue_uri: str | None = None
    table_uri: str | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What operators decided. See the table in the README."""

    policy: Policy
    galleries: tuple[GalleryId, ...]
    watch_first: timedelta
    watch_longest: timedelta
    rollout_deadline: timedelta
    webhooks: tuple[Webhook, ...]
    sweep_schedule: str
    arm_endpoint: str
    storage: Storage

    def manages(self, image: ImageId) -> bool:
        """Whether the image definition lies in a gallery of ``GALLERIES``."""
        return image.gallery in self.galleries

    def webhook(self, name: str) -> Webhook | None:
        """Find a receiver by its position and kind."""
        return next((webhook for webhook in self.webhooks if webhook.name == name), None)
