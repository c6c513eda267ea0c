"""The only place that builds adapters, each when it is first used: a function loads only what it needs."""

import gc
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.adapters.throttle import Throttle
from shared.settings import Settings, WebhookKind

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from shared.adapters.dead_letters import DeadLetters
    from shared.adapters.deliveries import Deliveries
    from shared.adapters.gallery import Gallery
    from shared.adapters.queues import Queues
    from shared.adapters.records import Records
    from shared.adapters.rollouts import Rollouts
    from shared.adapters.topic import Topic
    from shared.adapters.usage import ResourceGraph
    from shared.adapters.webhooks import Webhooks


def _utc_now() -> datetime:
    return datetime.now(UTC)


def spare_collector() -> None:
    """Let Python look for garbage less often than by default, which is with every 700 objects more.

    Nearly half of the time in which a long history is read and planned went to walking over it again and again. What is
    in no circle, nearly everything here, is freed at once all the same.
    """
    gc.set_threshold(10_000, 50, 100)


class App:
    """What the stages work with: the settings, the clock, and the adapters.

    Two threads that use an adapter first may both build it; one is then forgotten, and no harm done.

    :param now: gives the time, with an offset.
    """

    def __init__(self, settings: Settings, *, now: Callable[[], datetime] = _utc_now) -> None:
        self.settings = settings
        self.now = now
        self._throttle = Throttle(now)
        self._unrecorded: set[tuple[str, str]] = set()  # of the process, as gates are

    @cached_property
    def gallery(self) -> "Gallery":
        """Azure Compute Galleries."""
        from shared.adapters.gallery import Gallery  # noqa: PLC0415  0.3 s that only some functions need

        endpoint = self.settings.arm_endpoint
        return Gallery(endpoint, self._credential_for(endpoint), self._throttle, now=self.now)

    @cached_property
    def resource_graph(self) -> "ResourceGraph":
        """Azure Resource Graph."""
        from shared.adapters.usage import ResourceGraph  # noqa: PLC0415  only who prunes needs it

        return ResourceGraph(
            self.settings.arm_endpoint, self._credential_for(self.settings.arm_endpoint), self._throttle
        )

    @cached_property
    def queues(self) -> "Queues":
        """Storage queues."""
        from shared.adapters.queues import Queues  # noqa: PLC0415

        return Queues(self.settings.storage, self._storage_credential())

    @cached_property
    def rollouts(self) -> "Rollouts":
        """What is remembered."""
        from shared.adapters.rollouts import Rollouts  # noqa: PLC0415

        return Rollouts(self.settings.storage, self._storage_credential())

    @cached_property
    def deliveries(self) -> "Deliveries":
        """What was posted to whom."""
        from shared.adapters.deliveries import Deliveries  # noqa: PLC0415

        return Deliveries(self.settings.storage, self._storage_credential(), self._unrecorded)

    @cached_property
    def dead_letters(self) -> "DeadLetters":
        """Messages that nobody could handle."""
        from shared.adapters.dead_letters import DeadLetters  # noqa: PLC0415

        return DeadLetters(self.settings.storage, self._storage_credential())

    @cached_property
    def records(self) -> "Records":
        """What is recorded for people to look at."""
        from shared.adapters.records import Records  # noqa: PLC0415

        return Records(self.settings.storage, self._storage_credential())

    @cached_property
    def webhooks(self) -> "Webhooks":
        """The receivers of statuses."""
        from shared.adapters.webhooks import Webhooks  # noqa: PLC0415

        return Webhooks(self.settings.webhook_secrets, self.now)

    @cached_property
    def topic(self) -> "Topic":
        """The topic of statuses, for settings that name one."""
        from shared.adapters.topic import Topic  # noqa: PLC0415

        (endpoint,) = (each.url for each in self.settings.webhooks if each.kind is WebhookKind.TOPIC)
        return Topic(endpoint, self._credential_for(endpoint), self.now)

    def _credential_for(self, endpoint: str) -> "TokenCredential | None":
        """Give no credential for a simulated Azure: a token must never leave over plain http."""
        return None if urlsplit(endpoint).scheme == "http" else self._credential

    def _storage_credential(self) -> "TokenCredential | None":
        return None if self.settings.storage.connection_string else self._credential

    @cached_property
    def _credential(self) -> "TokenCredential":
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415

        return DefaultAzureCredential(managed_identity_client_id=self.settings.storage.client_id)
