import json
from base64 import b64encode
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.core.notice_type import NoticeType
from shared.core.policy import InUse, Mode, Policy
from shared.core.target_regions import RegionDefaults, RegionTarget, StorageAccountType
from shared.settings import SETTINGS, load
from shared.settings.table import POLICY_SETTINGS
from tests.core.build import GALLERY_ID
from tests.settings.environment import (
    ENCRYPTION_SET,
    GOOD,
    TUNED,
    TUNED_POLICY,
    faults,
    image,
    overriding,
    settings,
)

CONTRACT = {
    "TARGET_REGIONS": None,
    "REPLICA_COUNT": "1",
    "VMS_PER_REPLICA": "20",
    "STORAGE_ACCOUNT_TYPE": "",
    "ENCRYPTION_SETS": "{}",
    "WAVE_BAKE": "PT0S",
    "KEEP_LATEST": "1",
    "HOME_REPLICA_COUNT": "1",
    "PRUNE_GRACE": "PT0S",
    "PRUNE_MAX_PER_PASS": "10",
    "PROTECT_TAG": "gallery-fanout-keep",
    "PROTECT_IN_USE": "scale-sets",
    "PRUNE_UNLOCKS_REGIONS": "true",
    "MODE": "full",
    "GALLERIES": None,
    "POLICY_OVERRIDES": "{}",
    "WATCH_INTERVAL": "PT15S..PT10M",
    "ROLLOUT_DEADLINE": "PT24H",
    "STATUS_WEBHOOKS": "",
    "STATUS_WEBHOOK_SECRET": "",
    "STATUS_TOPIC_ENDPOINT": "",
    "STATUS_EVENTS": "all",
    "STORAGE_PRICE_PER_GIB_MONTH": "",
    "SWEEP_SCHEDULE": "0 0 * * * *",
    "ARM_ENDPOINT": "https://management.azure.com",
}


def test_defaults_are_those_of_the_contract():
    """Every setting of the contract exists, with the contract's default, and there is no other."""
    assert {name: setting.default for name, setting in SETTINGS.items()} == CONTRACT


@pytest.mark.parametrize("name", [name for name, default in CONTRACT.items() if default is not None])
def test_given_default_is_the_default(name):
    """To give a setting its default, to give it empty, or not to give it at all is the same."""
    assert settings(**{name: CONTRACT[name]}) == settings(**{name: ""}) == settings(**{name: "  "}) == load(GOOD)


def test_defaults_as_values():
    """What is required is enough; all else is as the contract says, and full mode protects what scale sets use."""
    loaded = load(GOOD)
    assert loaded.policy == Policy(
        regions=(RegionTarget("westeurope", 1, None, wave=1), RegionTarget("eastus2", 1, None, wave=1)),
        defaults=RegionDefaults(replicas=1, vms_per_replica=20, storage_account_type=None),
        encryption_sets={},
        wave_bake=timedelta(0),
        keep_latest=1,
        home_replicas=1,
        prune_grace=timedelta(0),
        prune_cap=10,
        protect_tag="gallery-fanout-keep",
        protect_in_use=InUse.SCALE_SETS,
        unlocks_regions=True,
        mode=Mode.FULL,
        exclusive=False,
        warnings=(),
    )
    assert loaded.overrides == ()
    assert loaded.warnings == ()
    assert (loaded.watch_first, loaded.watch_longest) == (timedelta(seconds=15), timedelta(minutes=10))
    assert loaded.rollout_deadline == timedelta(hours=24)
    assert loaded.webhooks == ()
    assert loaded.webhook_secrets == ()
    assert loaded.statuses == frozenset(NoticeType)
    assert loaded.storage_price is None
    assert loaded.sweep_schedule == "0 0 * * * *"
    assert loaded.arm_endpoint == "https://management.azure.com"
    assert [str(gallery) for gallery in loaded.galleries] == [GALLERY_ID]


def test_tuned_leaves_nothing_out():
    """The settings of the next tests are all those of a policy, and none of them means what its default does."""
    defaults = load(GOOD).policy
    assert TUNED.keys() == set(POLICY_SETTINGS)
    elsewhere = {"exclusive", "warnings"}  # an override says the one, tags of an image definition cause the other
    unlike = {
        field.name for field in fields(Policy) if getattr(TUNED_POLICY, field.name) != getattr(defaults, field.name)
    }
    assert unlike == {field.name for field in fields(Policy)} - elsewhere


def test_every_value_of_the_policy_arrives():
    """Each setting of the policy that is given arrives in it as what it means."""
    assert settings(**TUNED).policy == TUNED_POLICY


@pytest.mark.parametrize("name", TUNED)
def test_each_value_arrives_alone(name):
    """Each setting of the policy that is given alone changes the policy, and the policy only."""
    loaded = settings(**{name: TUNED[name]})
    assert loaded.policy != load(GOOD).policy
    assert replace(loaded, policy=load(GOOD).policy) == load(GOOD)


def test_every_other_value_arrives():
    """Each setting beside the policy that is given arrives as what it means."""
    loaded = settings(
        GALLERIES=OTHER_GALLERY,
        POLICY_OVERRIDES='{"other/*": {"keep_latest": 2}}',
        WATCH_INTERVAL="PT1S..P6D",
        ROLLOUT_DEADLINE="P7DT12H",
        STATUS_WEBHOOKS="json=https://example.org/hook",
        STATUS_WEBHOOK_SECRET=f"{SECRET}\n {SECRET}",
        STATUS_TOPIC_ENDPOINT=TOPIC,
        STATUS_EVENTS="rollout.stalled dead-lettered",
        STORAGE_PRICE_PER_GIB_MONTH="0.05",
        SWEEP_SCHEDULE="0 */5  * * * mon-fri",
        ARM_ENDPOINT="https://management.usgovcloudapi.net/",
    )
    assert [str(gallery) for gallery in loaded.galleries] == [OTHER_GALLERY]
    assert [(each.gallery, each.image, each.policy.keep_latest) for each in loaded.overrides] == [("other", "*", 2)]
    assert (loaded.watch_first, loaded.watch_longest) == (timedelta(seconds=1), timedelta(days=6))
    assert loaded.rollout_deadline == timedelta(days=7, hours=12)
    assert [(hook.name, hook.url) for hook in loaded.webhooks] == [
        ("1-json", "https://example.org/hook"),
        ("2-topic", TOPIC),
    ]
    assert loaded.webhook_secrets == (SECRET, SECRET)
    assert loaded.statuses == {NoticeType.ROLLOUT_STALLED, NoticeType.DEAD_LETTERED}
    assert loaded.storage_price == Decimal("0.05")
    assert loaded.sweep_schedule == "0 */5 * * * mon-fri"
    assert loaded.arm_endpoint == "https://management.usgovcloudapi.net"


OTHER_GALLERY = GALLERY_ID.replace("prodgallery", "other")
SECRET = f"whsec_{b64encode(bytes(24)).decode()}"
TOPIC = "https://statuses.westeurope-1.eventgrid.azure.net/api/events"
EVENTS = {
    "completed": {NoticeType.ROLLOUT_COMPLETED, NoticeType.PRUNE_COMPLETED},
    "rollout.completed": {NoticeType.ROLLOUT_COMPLETED},
    "Stalled,near": {NoticeType.ROLLOUT_STALLED, NoticeType.LIMIT_NEAR},
    " region-failed\n,dead-lettered ": {NoticeType.REGION_FAILED, NoticeType.DEAD_LETTERED},
    "completed rollout.completed": {NoticeType.ROLLOUT_COMPLETED, NoticeType.PRUNE_COMPLETED},
    "failed": {NoticeType.PUBLISH_FAILED},
    " ".join(NoticeType): set(NoticeType),
    "All": set(NoticeType),
}


@pytest.mark.parametrize(("text", "meant"), EVENTS.items(), ids=range(len(EVENTS)))
def test_statuses_are_chosen(text, meant):
    """Statuses are chosen by their whole names or by the last parts of them, in any letter case."""
    assert settings(STATUS_EVENTS=text).statuses == meant


@pytest.mark.parametrize("text", ["0.000000001", "0.05", "12", "999999999.999999999", "00.10"])
def test_prices(text):
    """A price is kept exactly as it was given."""
    assert settings(STORAGE_PRICE_PER_GIB_MONTH=text).storage_price == Decimal(text)


@pytest.mark.parametrize("size", [24, 32, 64])
def test_secrets_of_any_good_length(size):
    """A secret has 24 to 64 bytes, as Standard Webhooks asks."""
    secret = f"whsec_{b64encode(bytes(size)).decode()}"
    assert settings(STATUS_WEBHOOK_SECRET=secret, STATUS_WEBHOOKS="json=https://a").webhook_secrets == (secret,)


def test_a_secret_that_signs_nothing():
    """A secret is warned of where there is no json webhook: nothing else is signed."""
    (warning,) = settings(STATUS_WEBHOOK_SECRET=SECRET, STATUS_WEBHOOKS="teams=https://a").warnings
    assert warning == "STATUS_WEBHOOK_SECRET: only posts to json webhooks are signed, and there is none"
    assert settings(STATUS_WEBHOOK_SECRET=SECRET, STATUS_WEBHOOKS="json=https://a").warnings == ()


@pytest.mark.parametrize("url", [TOPIC, f"{TOPIC}/", "http://127.0.0.1:8080/topic/api/events"])
def test_the_topic_is_the_last_receiver(url):
    """A topic is a receiver like the webhooks, named by its place behind them; alone it is the first."""
    loaded = settings(STATUS_WEBHOOKS="slack=https://a teams=https://b", STATUS_TOPIC_ENDPOINT=url)
    assert [hook.name for hook in loaded.webhooks] == ["1-slack", "2-teams", "3-topic"]
    assert loaded.webhook("3-topic").url == url.rstrip("/")
    assert [hook.name for hook in settings(STATUS_TOPIC_ENDPOINT=url).webhooks] == ["1-topic"]


@pytest.mark.parametrize("separator", [" ", ",", ", ", "\n", " ,\t"])
def test_several_galleries(separator):
    """Galleries are separated by spaces or commas, in any mixture; a slash at the end is nothing."""
    loaded = settings(GALLERIES=f"{GALLERY_ID}/{separator}{OTHER_GALLERY}")
    assert [str(gallery) for gallery in loaded.galleries] == [GALLERY_ID, OTHER_GALLERY]


@pytest.mark.parametrize(
    "text",
    [
        "0 0 * * * *",
        "0 */5 * * * *",
        "30 5,10-20,*/7 0-23/2 1 jan SUN",
        "59 59 23 31 12 6",
        "0 0 9-17 * Jan-Mar Mon-Fri",
    ],
)
def test_schedules(text):
    """NCRONTAB expressions with six fields, steps, ranges, lists and names are taken."""
    assert settings(SWEEP_SCHEDULE=text).sweep_schedule == text


WAVES = {
    "one wave": ("westeurope eastus2", [["westeurope", "eastus2"]]),
    "a wave a region": ("westeurope;eastus2;uksouth", [["westeurope"], ["eastus2"], ["uksouth"]]),
    "spaces around": (" westeurope=3=standard_zrs ;  eastus2\n uksouth ", [["westeurope"], ["eastus2", "uksouth"]]),
    "spaces before only": ("westeurope ;eastus2", [["westeurope"], ["eastus2"]]),
    "display names": ("'West Europe'; \"East US 2\"=2", [["westeurope"], ["eastus2"]]),
}


@pytest.mark.parametrize(("text", "waves"), WAVES.values(), ids=WAVES)
def test_waves(text, waves):
    """A semicolon ends a wave; the waves keep their order."""
    policy = settings(TARGET_REGIONS=text).policy
    assert [[target.region for target in wave] for wave in policy.waves] == waves


@pytest.mark.parametrize("protection", InUse)
@pytest.mark.parametrize("mode", Mode)
def test_protection_in_every_mode(mode, protection):
    """Every mode goes with every protection of what is in use, in any letter case."""
    policy = settings(MODE=mode.upper(), PROTECT_IN_USE=protection.upper()).policy
    assert (policy.mode, policy.protect_in_use) == (mode, protection)


ENCRYPTION_SETS = {
    "none": ({}, {}),
    "a region": ({"westeurope": ENCRYPTION_SET}, {"westeurope": ENCRYPTION_SET}),
    "a display name": ({" West US 2 ": ENCRYPTION_SET}, {"westus2": ENCRYPTION_SET}),
    "one set for two": (
        {"westeurope": ENCRYPTION_SET, "eastus2": ENCRYPTION_SET},
        {"westeurope": ENCRYPTION_SET, "eastus2": ENCRYPTION_SET},
    ),
    "in capitals": ({"WESTEUROPE": ENCRYPTION_SET.upper()}, {"westeurope": ENCRYPTION_SET.upper()}),
    "a region of no wave": ({"japaneast": ENCRYPTION_SET}, {"japaneast": ENCRYPTION_SET}),
}


@pytest.mark.parametrize(("given", "meant"), ENCRYPTION_SETS.values(), ids=ENCRYPTION_SETS)
def test_encryption_sets(given, meant):
    """Encryption sets are kept by the one spelling of their region, and their ids are not changed."""
    assert settings(ENCRYPTION_SETS=json.dumps(given)).policy.encryption_sets == meant


PAUSES = {
    "PT0S": timedelta(0),
    "P0D": timedelta(0),
    "PT1S": timedelta(seconds=1),
    "PT4H": timedelta(hours=4),
    "P1DT2H3M4S": timedelta(days=1, hours=2, minutes=3, seconds=4),
    "P2W": timedelta(days=14),
    "P366D": timedelta(days=366),
}


@pytest.mark.parametrize("text", PAUSES)
def test_pauses(text):
    """WAVE_BAKE and PRUNE_GRACE may be none at all, and anything up to a year."""
    policy = settings(WAVE_BAKE=text, PRUNE_GRACE=text).policy
    assert policy.wave_bake == policy.prune_grace == PAUSES[text]


def test_manages():
    """An image definition is managed when its gallery is named, in whatever letter case."""
    from shared.core.names import ImageId

    loaded = load(GOOD)
    assert loaded.manages(ImageId.parse(f"{GALLERY_ID.upper()}/images/anything"))
    assert not loaded.manages(ImageId.parse(f"{OTHER_GALLERY}/images/anything"))
    assert not loaded.manages(ImageId.parse(f"{GALLERY_ID.replace('images-rg', 'rg')}/images/anything"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("TARGET_REGIONS", "westeurope=100"),
        ("TARGET_REGIONS", "westeurope=60; eastus2=40"),
        ("WAVE_BAKE", "P366D"),
        ("KEEP_LATEST", "1000"),
        ("HOME_REPLICA_COUNT", "100"),
        ("PRUNE_GRACE", "P366D"),
        ("PRUNE_MAX_PER_PASS", "1000"),
        ("PROTECT_TAG", "x" * 512),
        ("WATCH_INTERVAL", "P6D..P6D"),
        ("ROLLOUT_DEADLINE", "P366D"),
        ("ROLLOUT_DEADLINE", "PT1S"),
        ("SWEEP_SCHEDULE", "0-59 0-59 0-23 1-31 1-12 0-6"),
    ],
)
def test_limits_are_taken(name, text):
    """What lies just within the limits of a setting is taken."""
    assert settings(**{name: text}) != load(GOOD)


def test_limits_of_sizing_are_taken():
    """A hundred replicas in a region, and a replica per thousand VMs, can be had."""
    assert settings(TARGET_REGIONS="westeurope", REPLICA_COUNT="100").policy.regions[0].replicas == 100
    assert settings(TARGET_REGIONS="westeurope=2000vms", VMS_PER_REPLICA="1000").policy.regions[0].replicas == 2


# Azure's limits of replicas: fifty are advised, a hundred are taken

PATTERN = "prodgallery/ubuntu-*"
OVER_ADVISED = {
    "fifty": ("westeurope=50", {}, []),
    "fifty in two waves": ("westeurope=25; eastus2=25", {}, []),
    "fifty-one": ("westeurope=51", {}, [("TARGET_REGIONS", 51)]),
    "fifty-one in two waves": ("westeurope=50; eastus2", {}, [("TARGET_REGIONS", 51)]),
    "by machines": ("westeurope=1001vms", {}, [("TARGET_REGIONS", 51)]),
    "a hundred": ("westeurope=100", {}, [("TARGET_REGIONS", 100)]),
    "an override": (
        "westeurope",
        {PATTERN: {"target_regions": "westeurope=60"}},
        [(f"POLICY_OVERRIDES: '{PATTERN}'", 60)],
    ),
    "an override of the replicas of a region": (
        "westeurope; eastus2",
        {PATTERN: {"replica_count": 26}},
        [(f"POLICY_OVERRIDES: '{PATTERN}'", 52)],
    ),
    "an override of the sizing rule": (
        "westeurope=60vms",
        {PATTERN: {"vms_per_replica": 1}},
        [(f"POLICY_OVERRIDES: '{PATTERN}'", 60)],
    ),
    "an override of few": ("westeurope=60", {PATTERN: {"target_regions": "uksouth"}}, [("TARGET_REGIONS", 60)]),
    "overrides, the most specific first": (
        "westeurope=70",
        {"*/*": {"target_regions": "westeurope=80"}, PATTERN: {"target_regions": "westeurope=90"}},
        [("TARGET_REGIONS", 70), (f"POLICY_OVERRIDES: '{PATTERN}'", 90), ("POLICY_OVERRIDES: '*/*'", 80)],
    ),
}


@pytest.mark.parametrize(("regions", "overrides", "told"), OVER_ADVISED.values(), ids=OVER_ADVISED)
def test_more_replicas_than_advised(regions, overrides, told):
    """More replicas than Azure advises can be had, and each policy that wants them is warned of with their sum."""
    loaded = overriding(overrides, TARGET_REGIONS=regions)
    assert loaded.warnings == tuple(
        f"{name}: {total} replicas in all; Azure advises 50 per version at most" for name, total in told
    )
    assert loaded.policy.warnings == ()


@pytest.mark.parametrize(
    ("given", "total"),
    [
        ({"TARGET_REGIONS": "westeurope=101"}, 101),
        ({"TARGET_REGIONS": "westeurope=60; eastus2=41"}, 101),
        ({"TARGET_REGIONS": "westeurope eastus2", "REPLICA_COUNT": "60"}, 120),
        ({"TARGET_REGIONS": "westeurope=2001vms"}, 101),
        ({"TARGET_REGIONS": "westeurope=101vms", "VMS_PER_REPLICA": "1"}, 101),
    ],
    ids=["a region", "two waves", "by default", "by machines", "by the sizing rule"],
)
def test_more_replicas_than_azure_takes(given, total):
    """More replicas than Azure takes are refused, with their sum."""
    (fault,) = faults(**given)
    assert fault.startswith(f"TARGET_REGIONS: {total} replicas in all, and Azure takes 100 per version; given ")


def test_any_storage_type_in_any_region():
    """A region's own storage type wins over STORAGE_ACCOUNT_TYPE, wherever its wave is."""
    policy = settings(TARGET_REGIONS="westeurope; uksouth=2=premium_lrs", STORAGE_ACCOUNT_TYPE="Standard_ZRS").policy
    assert [target.storage_account_type for target in policy.regions] == [
        StorageAccountType.STANDARD_ZRS,
        StorageAccountType.PREMIUM_LRS,
    ]


def test_policy_without_overrides():
    """Where there are no overrides, every image definition has the policy of the settings."""
    loaded = load(GOOD)
    assert loaded.policy_for(image("prodgallery/ubuntu-2204")) is loaded.policy
