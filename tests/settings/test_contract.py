from datetime import timedelta

import pytest

from shared.core.policy import Mode, StorageAccountType
from shared.settings import SETTINGS, BadSettings, load
from shared.settings.values import InUse
from tests.core.build import GALLERY_ID
from tests.settings.environment import GOOD, settings

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
    "STATUS_EVENTS": "",
    "STORAGE_PRICE_PER_GIB_MONTH": "",
    "SWEEP_SCHEDULE": "0 0 * * * *",
    "ARM_ENDPOINT": "https://management.azure.com",
}


def test_defaults_are_those_of_the_contract():
    """Every setting of the contract exists, with the contract's default, and there is no other."""
    assert {name: setting.default for name, setting in SETTINGS.items()} == CONTRACT


@pytest.mark.parametrize("name", CONTRACT)
def test_given_default_is_the_default(name):
    """To give a setting its default, to give it empty, or not to give it at all is the same."""
    default = CONTRACT[name]
    if default is None or name == "PROTECT_IN_USE":
        return
    assert settings(**{name: default}) == settings(**{name: ""}) == settings(**{name: "  "}) == load(GOOD)


def test_defaults_as_values():
    """What is required is enough; all else is as the contract says."""
    loaded = load(GOOD)
    policy = loaded.policy
    assert [(each.region, each.replicas, each.storage_account_type) for each in policy.regions] == [
        ("westeurope", 1, None),
        ("eastus2", 1, None),
    ]
    assert (policy.keep_latest, policy.home_replicas, policy.prune_cap) == (1, 1, 10)
    assert (policy.mode, policy.unlocks_regions, policy.protect_tag) == (Mode.FULL, True, "gallery-fanout-keep")
    assert (loaded.watch_first, loaded.watch_longest) == (timedelta(seconds=15), timedelta(minutes=10))
    assert loaded.rollout_deadline == timedelta(hours=24)
    assert loaded.webhooks == ()
    assert loaded.sweep_schedule == "0 0 * * * *"
    assert loaded.arm_endpoint == "https://management.azure.com"
    assert [str(gallery) for gallery in loaded.galleries] == [GALLERY_ID]


def test_every_value_arrives():
    """Each setting that is given arrives in the settings as what it means."""
    loaded = settings(
        TARGET_REGIONS="westeurope eastus2=100vms uksouth=2=premium_lrs",
        REPLICA_COUNT="3",
        VMS_PER_REPLICA="50",
        STORAGE_ACCOUNT_TYPE="standard_zrs",
        KEEP_LATEST="2",
        HOME_REPLICA_COUNT="4",
        PRUNE_MAX_PER_PASS="5",
        PROTECT_TAG="frozen",
        PRUNE_UNLOCKS_REGIONS="False",
        MODE="Replicate",
        PROTECT_IN_USE="All",
        WATCH_INTERVAL="PT1S..P6D",
        ROLLOUT_DEADLINE="P7DT12H",
        SWEEP_SCHEDULE="0 */5  * * * mon-fri",
        ARM_ENDPOINT="https://management.usgovcloudapi.net/",
    )
    policy = loaded.policy
    zrs, premium = StorageAccountType.STANDARD_ZRS, StorageAccountType.PREMIUM_LRS
    assert [(each.region, each.replicas, each.storage_account_type) for each in policy.regions] == [
        ("westeurope", 3, zrs),
        ("eastus2", 2, zrs),
        ("uksouth", 2, premium),
    ]
    assert (policy.keep_latest, policy.home_replicas, policy.prune_cap) == (2, 4, 5)
    assert (policy.mode, policy.unlocks_regions, policy.protect_tag) == (Mode.REPLICATE, False, "frozen")
    assert (loaded.watch_first, loaded.watch_longest) == (timedelta(seconds=1), timedelta(days=6))
    assert loaded.rollout_deadline == timedelta(days=7, hours=12)
    assert loaded.sweep_schedule == "0 */5 * * * mon-fri"
    assert loaded.arm_endpoint == "https://management.usgovcloudapi.net"


OTHER_GALLERY = GALLERY_ID.replace("prodgallery", "other")


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


@pytest.mark.parametrize("protection", InUse)
@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.REPLICATE])
def test_protection_in_use_matters_only_when_pruning(mode, protection):
    """Where nothing is pruned, every PROTECT_IN_USE may be asked for."""
    assert settings(MODE=mode, PROTECT_IN_USE=protection).policy.mode is mode


@pytest.mark.parametrize("given", [None, "", "scale-sets", "all", "ALL"])
@pytest.mark.parametrize("mode", [None, "full"])
def test_full_mode_wants_a_decision_about_what_is_in_use(mode, given):
    """Full mode does not start without the protection that it cannot give yet, unless it is switched off in words."""
    environment = {name: text for name, text in GOOD.items() if name != "PROTECT_IN_USE"}
    given_to_app = {"MODE": mode, "PROTECT_IN_USE": given}
    environment |= {name: text for name, text in given_to_app.items() if text is not None}
    with pytest.raises(BadSettings) as caught:
        load(environment)
    (fault,) = caught.value.faults
    assert fault.startswith(f"PROTECT_IN_USE: not supported yet; given {given or ''!r}, which means ")
    assert "wanted 'off'" in fault


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
        ("KEEP_LATEST", "1000"),
        ("HOME_REPLICA_COUNT", "100"),
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
