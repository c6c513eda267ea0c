"""What operators decided, as frozen values."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase

from shared.core.names import GalleryId, ImageId
from shared.core.notice_type import NoticeType
from shared.core.policy import Policy


class WebhookKind(StrEnum):
    """Who reads what is posted."""

    TEAMS = "teams"
    SLACK = "slack"
    JSON = "json"
    TOPIC = "topic"

    @property
    def is_chat(self) -> bool:
        """Whether people read it."""
        return self in (WebhookKind.TEAMS, WebhookKind.SLACK)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver of statuses: a webhook, or the topic. Its URL is a credential and stays out of every representation.

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
class Override:
    """Another policy for the image definitions that a pattern names.

    :param gallery: the pattern of the gallery's name, with ``*`` and ``?``, in lower case.
    :param image: the same for the image definition.
    """

    gallery: str
    image: str
    policy: Policy

    @property
    def specificity(self) -> tuple[int, int]:
        """How much it says: its letters, then how few wildcards it has."""
        text = self.gallery + self.image
        wildcards = text.count("*") + text.count("?")
        return len(text) - wildcards, -wildcards

    def names(self, image: ImageId) -> bool:
        """Whether the pattern names an image definition; Azure's names have no case."""
        gallery = fnmatchcase(image.gallery.gallery.casefold(), self.gallery)
        return gallery and fnmatchcase(image.image.casefold(), self.image)


@dataclass(frozen=True, slots=True)
class Settings:
    """What operators decided. See the table in the README.

    :param policy: for image definitions that no override names.
    :param overrides: the most specific first.
    :param webhooks: all who get statuses; the topic, if there is one, is the last.
    :param webhook_secrets: what ``json`` posts are signed with, each of them.
    :param statuses: the ones that are posted.
    :param storage_price: of a GiB for a month, in whatever currency.
    :param warnings: what can be used, and should be looked at.
    """

    policy: Policy
    overrides: tuple[Override, ...]
    galleries: tuple[GalleryId, ...]
    watch_first: timedelta
    watch_longest: timedelta
    rollout_deadline: timedelta
    webhooks: tuple[Webhook, ...]
    webhook_secrets: tuple[str, ...] = field(repr=False)
    statuses: frozenset[NoticeType]
    storage_price: Decimal | None
    sweep_schedule: str
    arm_endpoint: str
    storage: Storage
    warnings: tuple[str, ...] = ()

    def policy_for(self, image: ImageId) -> Policy:
        """Give the policy of an image definition: the most specific override that names it, or the settings."""
        return next((override.policy for override in self.overrides if override.names(image)), self.policy)

    def manages(self, image: ImageId) -> bool:
        """Whether the image definition lies in a gallery of ``GALLERIES``."""
        return image.gallery in self.galleries

    def webhook(self, name: str) -> Webhook | None:
        """Find a receiver by its position and kind."""
        return next((webhook for webhook in self.webhooks if webhook.name == name), None)
