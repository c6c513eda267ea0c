"""App settings, read once when the app starts: every fault is reported at once, and nothing is silently ignored."""

from collections.abc import Iterable, Mapping

from shared.core.policy import Policy
from shared.core.target_regions import ADVISED_REPLICAS, total_replicas
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
    return Settings(
        policy=policy,
        overrides=overrides,
        galleries=values["GALLERIES"],
        watch_first=watch_first,
        watch_longest=watch_longest,
        rollout_deadline=values["ROLLOUT_DEADLINE"],
        webhooks=values["STATUS_WEBHOOKS"],
        sweep_schedule=values["SWEEP_SCHEDULE"],
        arm_endpoint=values["ARM_ENDPOINT"],
        storage=storage,
        warnings=_warnings(policy, overrides),
    )


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
