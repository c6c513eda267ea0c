"""App settings, read once when the app starts: every fault is reported at once, and nothing is silently ignored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.core.errors import Malformed
from shared.core.policy import (
    Mode,
    Policy,
    RegionDefaults,
    RegionTarget,
    StorageAccountType,
    parse_target_regions,
)
from shared.settings import readers
from shared.settings.values import InUse, Settings, Storage, Webhook, WebhookKind

__all__ = ["SETTINGS", "STORAGE", "BadSettings", "Setting", "Settings", "Storage", "Webhook", "WebhookKind", "load"]

STORAGE = "AzureWebJobsStorage"


class BadSettings(Exception):
    """The app cannot start with these settings.

    :param faults: every one of them, a line each.
    """

    def __init__(self, faults: list[str]) -> None:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        super().__init__(f"{len(faults)} of the app settings cannot be used:\n{lines}")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Setting:
    """How one app setting is read.

    :param default: its text when it is not given; ``None`` when it has to be.
    :param wanted: what would be right, for people.
    :param secret: whether what was given must not be shown.
    """

    default: str | None
    read: Callable[[str], Any]
    wanted: str
    secret: bool = False


_DURATION = "an ISO 8601 duration, as in 'PT24H'"
_LATER = "nothing, for now"

SETTINGS: Mapping[str, Setting] = {
    "TARGET_REGIONS": Setting(None, str, "region[=replicas][=storage type] ..., as in 'westeurope=3 eastus2'"),
    "REPLICA_COUNT": Setting("1", readers.whole(1, 100), "a whole number from 1 to 100"),
    "VMS_PER_REPLICA": Setting("20", readers.whole(1, 1000), "a whole number from 1 to 1000"),
    "STORAGE_ACCOUNT_TYPE": Setting(
        "", readers.optional(readers.one_of(StorageAccountType)), f"one of {', '.join(StorageAccountType)}"
    ),
    "ENCRYPTION_SETS": Setting("{}", readers.later("{}"), _LATER),
    "WAVE_BAKE": Setting("PT0S", readers.later("PT0S"), _LATER),
    "KEEP_LATEST": Setting("1", readers.whole(1, 1000), "a whole number from 1 to 1000"),
    "HOME_REPLICA_COUNT": Setting("1", readers.whole(1, 100), "a whole number from 1 to 100"),
    "PRUNE_GRACE": Setting("PT0S", readers.later("PT0S"), _LATER),
    "PRUNE_MAX_PER_PASS": Setting("10", readers.whole(1, 1000), "a whole number from 1 to 1000"),
    "PROTECT_TAG": Setting("gallery-fanout-keep", readers.tag, "the name of a tag"),
    "PROTECT_IN_USE": Setting("scale-sets", readers.one_of(InUse), "off, for now"),
    "PRUNE_UNLOCKS_REGIONS": Setting("true", readers.switch, "true or false"),
    "MODE": Setting("full", readers.one_of(Mode), f"one of {', '.join(Mode)}"),
    "GALLERIES": Setting(None, readers.galleries, "resource ids of galleries, separated by spaces or commas"),
    "POLICY_OVERRIDES": Setting("{}", readers.later("{}"), _LATER),
    "WATCH_INTERVAL": Setting(
        "PT15S..PT10M", readers.interval, "two ISO 8601 durations from PT1S to P6D, as in 'PT15S..PT10M'"
    ),
    "ROLLOUT_DEADLINE": Setting("PT24H", readers.duration, _DURATION),
    "STATUS_WEBHOOKS": Setting(
        "", readers.webhooks, "teams=URL slack=URL json=URL ..., https only (http to this machine)", secret=True
    ),
    "STATUS_WEBHOOK_SECRET": Setting("", readers.later(""), _LATER, secret=True),
    "STATUS_TOPIC_ENDPOINT": Setting("", readers.later(""), _LATER),
    "STATUS_EVENTS": Setting("", readers.later(""), _LATER),
    "STORAGE_PRICE_PER_GIB_MONTH": Setting("", readers.later(""), _LATER),
    "SWEEP_SCHEDULE": Setting("0 0 * * * *", readers.schedule, "six NCRONTAB fields, as in '0 0 * * * *'"),
    "ARM_ENDPOINT": Setting(
        "https://management.azure.com", readers.endpoint, "an https address (http to this machine only)"
    ),
}
"""Every app setting of the contract. One whose feature is not built yet is refused unless it asks for nothing."""


def load(environment: Mapping[str, str]) -> Settings:
    """Read all settings.

    :raises BadSettings: with every fault: the setting, what was given and what is wanted.
    """
    reading = _Reading(environment)
    values = {name: reading.value(name, setting) for name, setting in SETTINGS.items()}
    regions = reading.regions(values)
    storage = reading.storage()
    reading.check_in_use(values)
    if reading.faults:
        raise BadSettings(reading.faults)
    watch_first, watch_longest = values["WATCH_INTERVAL"]
    return Settings(
        policy=Policy(
            regions=regions,
            keep_latest=values["KEEP_LATEST"],
            home_replicas=values["HOME_REPLICA_COUNT"],
            prune_cap=values["PRUNE_MAX_PER_PASS"],
            mode=values["MODE"],
            unlocks_regions=values["PRUNE_UNLOCKS_REGIONS"],
            protect_tag=values["PROTECT_TAG"],
        ),
        galleries=values["GALLERIES"],
        watch_first=watch_first,
        watch_longest=watch_longest,
        rollout_deadline=values["ROLLOUT_DEADLINE"],
        webhooks=values["STATUS_WEBHOOKS"],
        sweep_schedule=values["SWEEP_SCHEDULE"],
        arm_endpoint=values["ARM_ENDPOINT"],
        storage=storage,
    )


class _Reading:
    """One reading of an environment; it goes on after a fault, so that all are found."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.faults: list[str] = []

    def value(self, name: str, setting: Setting) -> Any:
        text = self.environment.get(name, "").strip() or setting.default
        if text is None:
            self.faults.append(f"{name}: not given, wanted {setting.wanted}")
            return None
        try:
            return setting.read(text)
        except (ValueError, KeyError) as fault:
            self.fault(name, fault)
            return None

    def fault(self, name: str, fault: Exception) -> None:
        setting = SETTINGS[name]
        why = f"{fault}; " if isinstance(fault, Malformed) else ""
        given = "a secret that is not shown" if setting.secret else repr(self.environment.get(name, "").strip())
        self.faults.append(f"{name}: {why}given {given}, wanted {setting.wanted}")

    def regions(self, values: Mapping[str, Any]) -> tuple[RegionTarget, ...]:
        text = values["TARGET_REGIONS"]
        if not text:
            return ()
        defaults = RegionDefaults(
            values["REPLICA_COUNT"] or 1, values["VMS_PER_REPLICA"] or 1, values["STORAGE_ACCOUNT_TYPE"]
        )
        try:
            return parse_target_regions(text, defaults)
        except Malformed as fault:
            self.fault("TARGET_REGIONS", fault)
            return ()

    def storage(self) -> Storage:
        try:
            return readers.storage(self.environment, STORAGE)
        except Malformed as fault:
            self.faults.append(
                f"{STORAGE}: {fault}, wanted a connection string, or {STORAGE}__accountName"
                f" (or __queueServiceUri and __tableServiceUri) with https addresses"
            )
            return Storage(None)

    def check_in_use(self, values: Mapping[str, Any]) -> None:
        """Refuse to prune without the protection of what is in use, until that is built, unless told to."""
        if values["MODE"] is Mode.FULL and values["PROTECT_IN_USE"] not in (None, InUse.OFF):
            self.faults.append(
                f"PROTECT_IN_USE: not supported yet; given {self.environment.get('PROTECT_IN_USE', '')!r}, which means"
                f" '{values['PROTECT_IN_USE']}', wanted 'off' (regions that scale sets use are then pruned too),"
                " or MODE 'replicate' or 'observe'"
            )
