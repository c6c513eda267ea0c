"""App settings, read once when the app starts: every fault is reported at once, and nothing is silently ignored."""

from collections.abc import Iterable, Iterator, Mapping

from shared.core.policy import Policy
from shared.core.target_regions import ADVISED_REPLICAS, total_replicas
from shared.settings.addresses import is_office_connector
from shared.settings.overrides import read_overrides
from shared.settings.reading import Reading
from shared.settings.table import SETTINGS, STORAGE, Setting
from shared.settings.values import Override, Settings, Storage, Webhook, WebhookKind

__all__ = ["SETTINGS", "STORAGE", "BadSettings", "Setting", "Settings", "Storage", "Webhook", "WebhookKind", "load"]


class BadSettings(Exception):
    """The app cannot start with these settings.

    :param faults: every one of them, a line each.
    """

    def __init__(self, faults: list[str]) -> None:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        super().__init__(f"{len(faults)} of the app settings cannot be used:\n{lines}")
        self.faults = faults


def load(environment: Mapping[str, str]) -> Settings:
    """Read all settings.

    :raises BadSettings: with every fault: the setting, what was given and what is wanted.
    """
    reading = Reading(environment)
    values = {name: reading.value(name, setting) for name, setting in SETTINGS.items()}
    policy = reading.policy(values)
    overrides = read_overrides(reading, values["POLICY_OVERRIDES"] or {})
    storage = reading.storage()
    if reading.faults:
        raise BadSettings(reading.faults)
    watch_first, watch_longest = values["WATCH_INTERVAL"]
    receivers = _receivers(values["STATUS_WEBHOOKS"], values["STATUS_TOPIC_ENDPOINT"])
    return Settings(
        policy=policy,
        overrides=overrides,
        galleries=values["GALLERIES"],
        watch_first=watch_first,
        watch_longest=watch_longest,
        rollout_deadline=values["ROLLOUT_DEADLINE"],
        webhooks=receivers,
        webhook_secrets=values["STATUS_WEBHOOK_SECRET"],
        statuses=values["STATUS_EVENTS"],
        storage_price=values["STORAGE_PRICE_PER_GIB_MONTH"],
        sweep_schedule=values["SWEEP_SCHEDULE"],
        arm_endpoint=values["ARM_ENDPOINT"],
        storage=storage,
        warnings=(*_warnings(policy, overrides), *_status_warnings(receivers, values["STATUS_WEBHOOK_SECRET"])),
    )


def _receivers(webhooks: tuple[Webhook, ...], topic: str | None) -> tuple[Webhook, ...]:
    kind = WebhookKind.TOPIC
    return (*webhooks, Webhook(f"{len(webhooks) + 1}-{kind}", kind, topic)) if topic else webhooks


def _status_warnings(receivers: Iterable[Webhook], secrets: tuple[str, ...]) -> Iterator[str]:
    for each in receivers:
        if each.kind is WebhookKind.TEAMS and is_office_connector(each.url):
            yield (
                f"STATUS_WEBHOOKS: {each.name} is an Office 365 connector, which Microsoft has retired;"
                f" make a webhook with the Workflows app of the channel instead"
            )
    if secrets and not any(each.kind is WebhookKind.JSON for each in receivers):
        yield "STATUS_WEBHOOK_SECRET: only posts to json webhooks are signed, and there is none"


def _warnings(policy: Policy, overrides: Iterable[Override]) -> tuple[str, ...]:
    """Say what can be used, and should be looked at."""
    named = [("TARGET_REGIONS", policy)]
    named += [
        (f"POLICY_OVERRIDES: '{each.gallery}/{each.image}'", each.policy)
        for each in overrides
        if each.policy.regions != policy.regions
    ]
    return tuple(
        f"{name}: {total} replicas in all; Azure advises {ADVISED_REPLICAS} per version at most"
        for name, each in named
        if (total := total_replicas(each.regions)) > ADVISED_REPLICAS
    )
