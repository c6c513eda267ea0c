"""Every app setting of the contract: its default, how it is read, and what is wanted, for people."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.core.notice_type import NoticeType
from shared.core.policy import InUse, Mode
from shared.core.tags import MOST_KEPT
from shared.core.target_regions import StorageAccountType
from shared.settings import addresses, readers, statuses

STORAGE = "AzureWebJobsStorage"


@dataclass(frozen=True, slots=True)
class Setting:
    """How one app setting is read.

    :param default: its text when it is not given; ``None`` when it has to be.
    :param wanted: what would be right, for people.
    :param secret: whether what was given must not be shown.
    :param json: what JSON may hold for it in ``POLICY_OVERRIDES``, beside the text that the app setting would have.
    """

    default: str | None
    read: Callable[[str], Any]
    wanted: str
    secret: bool = False
    json: type = str


_DURATION = "an ISO 8601 duration, as in 'PT24H'"
_PAUSE = "an ISO 8601 duration, as in 'PT4H', or 'PT0S' for none"

SETTINGS: Mapping[str, Setting] = {
    "TARGET_REGIONS": Setting(
        None, str, "region[=replicas][=storage type] ... [; the next wave], as in 'westeurope=3; eastus2 uksouth'"
    ),
    "REPLICA_COUNT": Setting("1", readers.within(1, 100), "a whole number from 1 to 100", json=int),
    "VMS_PER_REPLICA": Setting("20", readers.within(1, 1000), "a whole number from 1 to 1000", json=int),
    "STORAGE_ACCOUNT_TYPE": Setting(
        "", readers.optional(readers.one_of(StorageAccountType)), f"one of {', '.join(StorageAccountType)}"
    ),
    "ENCRYPTION_SETS": Setting(
        "{}", readers.encryption_sets, "a JSON object: region to the resource id of its disk encryption set", json=dict
    ),
    "WAVE_BAKE": Setting("PT0S", readers.pause, _PAUSE),
    "KEEP_LATEST": Setting("1", readers.within(1, MOST_KEPT), f"a whole number from 1 to {MOST_KEPT}", json=int),
    "HOME_REPLICA_COUNT": Setting("1", readers.within(1, 100), "a whole number from 1 to 100", json=int),
    "PRUNE_GRACE": Setting("PT0S", readers.pause, _PAUSE),
    "PRUNE_MAX_PER_PASS": Setting("10", readers.within(1, 1000), "a whole number from 1 to 1000", json=int),
    "PROTECT_TAG": Setting("gallery-fanout-keep", readers.tag, "the name of a tag"),
    "PROTECT_IN_USE": Setting("scale-sets", readers.one_of(InUse), f"one of {', '.join(InUse)}"),
    "PRUNE_UNLOCKS_REGIONS": Setting("true", readers.switch, "true or false", json=bool),
    "MODE": Setting("full", readers.one_of(Mode), f"one of {', '.join(Mode)}"),
    "GALLERIES": Setting(None, readers.galleries, "resource ids of galleries, separated by spaces or commas"),
    "POLICY_OVERRIDES": Setting(
        "{}", readers.json_object, """a JSON object, as in '{"prodgallery/win2022-*": {"keep_latest": 2}}'"""
    ),
    "WATCH_INTERVAL": Setting(
        "PT15S..PT10M", readers.interval, "two ISO 8601 durations from PT1S to P6D, as in 'PT15S..PT10M'"
    ),
    "ROLLOUT_DEADLINE": Setting("PT24H", readers.duration, _DURATION),
    "STATUS_WEBHOOKS": Setting(
        "", addresses.webhooks, "teams=URL slack=URL json=URL ..., https only (http to this machine)", secret=True
    ),
    "STATUS_WEBHOOK_SECRET": Setting(
        "", statuses.secrets, "whsec_ and 24 to 64 bytes in base64, or two such secrets while they change", secret=True
    ),
    "STATUS_TOPIC_ENDPOINT": Setting(
        "",
        readers.optional(addresses.address),
        "the https address of an Event Grid topic, as in 'https://NAME.REGION-1.eventgrid.azure.net/api/events'",
    ),
    "STATUS_EVENTS": Setting(
        statuses.ALL,
        statuses.statuses,
        f"'{statuses.ALL}', or some of {', '.join(NoticeType)}, or of the last parts of these names",
    ),
    "STORAGE_PRICE_PER_GIB_MONTH": Setting("", statuses.price, "a number above zero, as in '0.05'"),
    "SWEEP_SCHEDULE": Setting("0 0 * * * *", readers.schedule, "six NCRONTAB fields, as in '0 0 * * * *'"),
    "ARM_ENDPOINT": Setting(
        "https://management.azure.com", addresses.endpoint, "an https address (http to this machine only)"
    ),
}
"""Every app setting of the contract."""

POLICY_SETTINGS = tuple(SETTINGS)[: tuple(SETTINGS).index("MODE") + 1]
"""The settings that make up a policy; ``POLICY_OVERRIDES`` may give them anew, in lower case."""
