import json
import traceback
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.notice_type import NoticeType
from shared.settings import SETTINGS, STORAGE, BadSettings, Settings, load
from shared.settings.table import POLICY_SETTINGS
from tests.core import strategies
from tests.core.build import GALLERY_ID, IMAGE_ID
from tests.settings.environment import CONNECTION, ENCRYPTION_SET, GOOD, TUNED, faults, settings

DEEP = f"{'[' * 100_000}{']' * 100_000}"
NO_OBJECTS = {
    "a word": ("westeurope", "it is not JSON: "),
    "half an object": ('{"westeurope":', "it is not JSON: "),
    "single quotes": ("{'westeurope': 1}", "it is not JSON: "),
    "two objects": ("{} {}", "it is not JSON: "),
    "too deep": (f'{{"a/b": {DEEP}}}', "it is not JSON: "),
    "too many digits": (f'{{"a/b": {"9" * 5000}}}', "it is not JSON: "),
    "a list": ("[]", "it is not a JSON object; "),
    "a text": ('"westeurope"', "it is not a JSON object; "),
    "a number": ("7", "it is not a JSON object; "),
    "true": ("true", "it is not a JSON object; "),
    "null": ("null", "it is not a JSON object; "),
}
NO_ENCRYPTION_SETS = {
    "no region": ({"we": ENCRYPTION_SET}, "'we' is not the name of a region; "),
    "no name": ({"": ENCRYPTION_SET}, "'' is not the name of a region; "),
    "replicas": ({"westeurope=3": ENCRYPTION_SET}, "'westeurope=3' is not the name of a region; "),
    "a line": ({"west\neurope\x00": ENCRYPTION_SET}, "'west\\neurope\\x00' is not the name of a region; "),
    "no id": ({"westeurope": "des-1"}, "'des-1' is not the resource id of a disk encryption set; "),
    "an empty id": ({"westeurope": ""}, "'' is not the resource id of a disk encryption set; "),
    "spaces": ({"westeurope": f" {ENCRYPTION_SET}"}, f"' {ENCRYPTION_SET}' is not the resource id of a disk encr"),
    "a gallery": ({"westeurope": GALLERY_ID}, f"'{GALLERY_ID}' is not the resource id of a disk encryption set; "),
    "a path": ({"westeurope": f"{ENCRYPTION_SET}/x"}, f"'{ENCRYPTION_SET}/x' is not the resource id of a disk encr"),
    "a query": ({"westeurope": f"{ENCRYPTION_SET}?x"}, f"'{ENCRYPTION_SET}?x' is not the resource id of a disk encr"),
    "a long name": ({"westeurope": f"{ENCRYPTION_SET}{'x' * 80}"}, "'/subscriptions/"),
    "null": ({"westeurope": None}, "'null' is not the resource id of a disk encryption set; "),
    "a number": ({"westeurope": 5}, "'5' is not the resource id of a disk encryption set; "),
    "a list": ({"westeurope": [ENCRYPTION_SET]}, "'[\"/subscriptions/"),
    "an object": ({"westeurope": {"id": ENCRYPTION_SET}}, '\'{"id": "/subscriptions/'),
    "an object in an object": ({"sets": {"westeurope": ENCRYPTION_SET}}, '\'{"westeurope": "/subscriptions/'),
    "two spellings": ({"westus2": ENCRYPTION_SET, "West US 2": ENCRYPTION_SET}, "westus2 is named twice; "),
}
_KEY = b64encode(bytes(range(24))).decode()
NO_SECRETS = {
    "no prefix": (_KEY, "secret 1 does not begin with whsec_"),
    "another prefix": (f"WHSEC_{_KEY}", "secret 1 does not begin with whsec_"),
    "nothing behind it": ("whsec_", "secret 1 does not have 24 to 64 bytes"),
    "too short": (f"whsec_{b64encode(bytes(23)).decode()}", "secret 1 does not have 24 to 64 bytes"),
    "too long": (f"whsec_{b64encode(bytes(65)).decode()}", "secret 1 does not have 24 to 64 bytes"),
    "no base64": (f"whsec_{_KEY}!", "secret 1 is not base64 after whsec_"),
    "base64 of URLs": (f"whsec_{'-_' * 20}", "secret 1 is not base64 after whsec_"),
    "half of it": (f"whsec_{_KEY}A", "secret 1 is not base64 after whsec_"),
    "letters of elsewhere": (f"whsec_{chr(233) * 40}", "secret 1 is not base64 after whsec_"),
    "the second": (f"whsec_{_KEY} {_KEY}", "secret 2 does not begin with whsec_"),
    "three": (f"whsec_{_KEY} whsec_{_KEY} whsec_{_KEY}", "3 secrets"),
    "a comma": (f"whsec_{_KEY},whsec_{_KEY}", "secret 1 is not base64 after whsec_"),
}
NO_PAUSES = [
    "4h",
    "0",
    "-PT1S",
    "-PT1H",
    "-P1D",
    "PT-1H",
    "P1M",
    "P1Y",
    "P366DT1S",
    "P367D",
    "P",
    "PT1H PT1H",
    "P99999999999D",
    "P9999999999999W",
]
BAD = {
    "TARGET_REGIONS": [
        "westeurope=0",
        "we",
        '"west',
        "westeurope westeurope",
        "westeurope=101",
        ";",
        "westeurope;",
        ";westeurope",
        "westeurope;;eastus2",
        "westeurope; 'West Europe'",
        "westeurope=60; eastus2=41",
        "westeurope=3;standard_zrs",
        "westeurope,eastus2",
    ],
    "REPLICA_COUNT": ["0", "-1", "101", "1.5", "one", "\u0661", "1_0", "9" * 5000],
    "VMS_PER_REPLICA": ["0", "1001", "many"],
    "STORAGE_ACCOUNT_TYPE": ["ultra", "Standard LRS", "standard_lrs standard_zrs"],
    "ENCRYPTION_SETS": [
        *(text for text, _ in NO_OBJECTS.values()),
        *(json.dumps(value) for value, _ in NO_ENCRYPTION_SETS.values()),
        f'{{"westeurope": "{ENCRYPTION_SET}", "westeurope": "{ENCRYPTION_SET}"}}',
    ],
    "WAVE_BAKE": NO_PAUSES,
    "KEEP_LATEST": ["0", "-1", "1001", "all"],
    "HOME_REPLICA_COUNT": ["0", "101"],
    "PRUNE_GRACE": NO_PAUSES,
    "PRUNE_MAX_PER_PASS": ["0", "1001"],
    "PROTECT_TAG": ["a/b", "a\\b", "<a>", "100%", "a?", "a&b", "a\x07b", "x" * 513],
    "PROTECT_IN_USE": ["yes", "vms", "scale sets", "none"],
    "PRUNE_UNLOCKS_REGIONS": ["yes", "1", "on", "truee"],
    "MODE": ["prune", "dry-run", "full observe"],
    "GALLERIES": ["prodgallery", ",", IMAGE_ID, f"{GALLERY_ID} prodgallery", f"{GALLERY_ID}/..", f"{GALLERY_ID};"],
    "POLICY_OVERRIDES": [
        *(text for text, _ in NO_OBJECTS.values()),
        '{"prod/*": {}, "prod/*": {}}',
        '{"prod/*": {"keep_latest": 1, "keep_latest": 2}}',
    ],
    "WATCH_INTERVAL": [
        "PT15S",
        "PT10M..PT15S",
        "PT0S..PT1M",
        "PT15S..P7D",
        "PT15S..PT1M..PT2M",
        "15..600",
        "..",
        "PT0.5S..PT1M",
        "P1M..P2M",
    ],
    "ROLLOUT_DEADLINE": ["24h", "PT0S", "-PT1H", "P1M", "P1Y", "P367D", "P", "PT", "P99999999999D", "P9999999999999W"],
    "STATUS_WEBHOOKS": [
        "https://example.org/x",
        "teams",
        "teams=",
        "email=https://example.org/x",
        "teams=https://[",
        "topic=https://topic.westeurope-1.eventgrid.azure.net/api/events",
        "Teams=https://example.org/x",
    ],
    "STATUS_WEBHOOK_SECRET": [text for text, _ in NO_SECRETS.values()],
    "STATUS_TOPIC_ENDPOINT": [
        "topic.westeurope-1.eventgrid.azure.net",
        "http://topic.westeurope-1.eventgrid.azure.net/api/events",
        "https://topic.westeurope-1.eventgrid.azure.net/api/events?aeg-sas-key=x",
        "https://key@topic.westeurope-1.eventgrid.azure.net/api/events",
        "https://a/api/events https://b/api/events",
    ],
    "STATUS_EVENTS": [
        "complete",
        "all completed",
        ", ,",
        "rollout",
        "rollout.",
        ".completed",
        "completed;stalled",
        "rollout.*",
        "\u0130",
    ],
    "STORAGE_PRICE_PER_GIB_MONTH": [
        "0",
        "0.0",
        "-1",
        "1e3",
        "0,05",
        "free",
        "0.05 EUR",
        "\u0661",
        ".5",
        "1.",
        "NaN",
        "inf",
    ],
    "SWEEP_SCHEDULE": [
        "hourly",
        "0 * * * *",
        "0 0 0 * * * *",
        "60 0 * * * *",
        "0 0 24 * * *",
        "0 0 * 0 * *",
        "0 0 * * 13 *",
        "0 0 * * * 7",
        "0 */0 * * * *",
        "0 0 * * * mon-",
        "0 0 * * * ,",
        "@hourly",
        "01:00:00",
    ],
    "ARM_ENDPOINT": [
        "management.azure.com",
        "ftp://management.azure.com",
        "http://management.azure.com",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "http://127.0.0.1@example.org",
        "https://user@management.azure.com",
        "https://:password@management.azure.com",
        "https://management.azure.com/subscriptions",
        "https://management.azure.com?x=1",
        "https://management.azure.com#x",
        "https://management.azure.com?",
        "https://management.azure.com#",
        "https://@management.azure.com",
        "https://management.azure.com:port",
        "https://management.azure.com:99999",
        "https://",
        "https://[",
        "https://[::1",
        "http://local\thost",
        "https://management.azure.com:0",
    ],
}


def test_every_setting_has_a_bad_value():
    """The table of bad values leaves no setting out."""
    assert BAD.keys() == SETTINGS.keys()


@pytest.mark.parametrize(
    ("name", "text"),
    [pytest.param(name, text, id=f"{name}-{text[:20]}") for name, texts in BAD.items() for text in texts],
)
def test_faults_say_name_given_and_wanted(name, text):
    """A fault names the setting, what was given (unless it is a secret) and what is wanted, in one line."""
    (fault,) = faults(**{name: text})
    given = "a secret that is not shown" if SETTINGS[name].secret else repr(text)
    assert fault.startswith(f"{name}: ")
    assert fault.endswith(f"given {given}, wanted {SETTINGS[name].wanted}")
    assert fault.isprintable()


@pytest.mark.parametrize("name", [name for name, setting in SETTINGS.items() if setting.default is None])
@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_required_settings(name, text):
    """A required setting that is not given, or empty, is a fault that says so."""
    environment = {key: value for key, value in GOOD.items() if key != name}
    if text is not None:
        environment[name] = text
    with pytest.raises(BadSettings) as caught:
        load(environment)
    assert caught.value.faults == [f"{name}: not given, wanted {SETTINGS[name].wanted}"]


def test_nothing_is_unsupported():
    """No setting of the contract is refused for not being supported."""
    assert not any(
        "not supported" in fault for name in SETTINGS for text in BAD[name] for fault in faults(**{name: text})
    )


@pytest.mark.parametrize(("text", "why"), NO_SECRETS.values(), ids=NO_SECRETS)
def test_secrets_that_are_none(text, why):
    """What is wrong with a secret is said by its position, and nothing of it is shown."""
    (fault,) = faults(STATUS_WEBHOOK_SECRET=text)
    assert fault.startswith(
        f"STATUS_WEBHOOK_SECRET: {why}; given a secret that is not shown, wanted whsec_ and 24 to 64"
    )
    assert not any(word in fault for word in text.split() if len(word) > len("whsec_"))


def test_statuses_that_are_none():
    """A word that means no status is told, with all that there are."""
    (fault,) = faults(STATUS_EVENTS="completed, finished stalled done")
    assert fault.startswith("STATUS_EVENTS: there is no status 'done', 'finished'; given ")
    assert all(status in fault.partition("wanted")[2] for status in NoticeType)


# What is JSON


@pytest.mark.parametrize("name", ["ENCRYPTION_SETS", "POLICY_OVERRIDES"])
@pytest.mark.parametrize(("text", "why"), NO_OBJECTS.values(), ids=NO_OBJECTS)
def test_not_a_json_object(name, text, why):
    """What is not a JSON object is refused in those words."""
    (fault,) = faults(**{name: text})
    assert fault.startswith(f"{name}: {why}")


@pytest.mark.parametrize(("value", "why"), NO_ENCRYPTION_SETS.values(), ids=NO_ENCRYPTION_SETS)
def test_not_encryption_sets(value, why):
    """Of encryption sets, the region or the id that is none is told, or the region that is there twice."""
    (fault,) = faults(ENCRYPTION_SETS=json.dumps(value))
    assert fault.startswith(f"ENCRYPTION_SETS: {why}")


def test_all_faults_of_encryption_sets():
    """Every region and every id of the encryption sets that is none is told at once."""
    (fault,) = faults(ENCRYPTION_SETS=json.dumps({"we": ENCRYPTION_SET, "eastus2": "des-2", "uksouth": "des-3"}))
    assert all(each in fault.partition("; given")[0] for each in ("'we'", "'des-2'", "'des-3'"))


TWICE = {
    "a region": ("ENCRYPTION_SETS", f'{{"westeurope": "{ENCRYPTION_SET}", "westeurope": ""}}', "westeurope"),
    "a pattern": ("POLICY_OVERRIDES", '{"prod/*": {"keep_latest": 2}, "dev/*": {}, "prod/*": {}}', "prod/*"),
    "a setting": ("POLICY_OVERRIDES", '{"prod/*": {"keep_latest": 1, "keep_latest": 2}}', "keep_latest"),
    "a region of an override": (
        "POLICY_OVERRIDES",
        f'{{"prod/*": {{"encryption_sets": {{"uksouth": "{ENCRYPTION_SET}", "uksouth": "{ENCRYPTION_SET}"}}}}}}',
        "uksouth",
    ),
}


@pytest.mark.parametrize(("name", "text", "twice"), TWICE.values(), ids=TWICE)
def test_named_twice_in_json(name, text, twice):
    """A name that is there twice is refused by name, at any depth; the last one does not silently win."""
    (fault,) = faults(**{name: text})
    assert fault.startswith(f"{name}: ")
    assert fault.endswith(f"given {text!r}, wanted {SETTINGS[name].wanted}")
    assert twice in fault.partition("named twice; given")[0]


@pytest.mark.parametrize("name", ["ENCRYPTION_SETS", "POLICY_OVERRIDES"])
@pytest.mark.parametrize(
    "escape", ["\\n", "\\u001b[2J", "\\ud800", "\\u2028"], ids=["line", "escape", "surrogate", "separator"]
)
def test_odd_names_twice(name, escape):
    """A fault stays a line that can be printed, also when a name that is there twice has odd characters."""
    (fault,) = faults(**{name: f'{{"a{escape}b": 1, "a{escape}b": 2}}'})
    assert "named twice" in fault
    assert fault.isprintable()


def test_all_faults_at_once():
    """One start tells every fault: a line each, and their number."""
    spoilt = {name: texts[0] for name, texts in BAD.items()} | {STORAGE: "nonsense"}
    with pytest.raises(BadSettings) as caught:
        load(spoilt)
    assert [fault.partition(":")[0] for fault in sorted(caught.value.faults)] == sorted([*BAD, STORAGE])
    assert str(caught.value).startswith(f"{len(BAD) + 1} of the app settings cannot be used:\n  - ")
    assert len(str(caught.value).splitlines()) == len(BAD) + 2


def test_nothing_given():
    """An empty environment tells what is required, and no more."""
    with pytest.raises(BadSettings) as caught:
        load({})
    assert [fault.partition(":")[0] for fault in caught.value.faults] == ["TARGET_REGIONS", "GALLERIES", STORAGE]


def test_region_faults_are_all_told():
    """Every fault of the regions is told, also when the defaults that they need are faulty themselves."""
    told = faults(TARGET_REGIONS="we uksouth=40vms; eastus2=x;", VMS_PER_REPLICA="0", STORAGE_ACCOUNT_TYPE="best")
    assert len(told) == 3
    regions = next(fault for fault in told if fault.startswith("TARGET_REGIONS"))
    assert "'we' is not the name of a region" in regions
    assert "'x' is not a number of replicas" in regions
    assert "wave 3 names no region" in regions


def test_no_sum_without_its_parts():
    """Where the sizing rule is faulty, no sum of replicas is made up without it."""
    (fault,) = faults(TARGET_REGIONS="westeurope=2000vms", VMS_PER_REPLICA="many")
    assert fault.startswith("VMS_PER_REPLICA: ")


@pytest.mark.parametrize("name", ["WAVE_BAKE", "PRUNE_GRACE"])
def test_half_a_duration(name):
    """A duration without a number in it is a slip, and is not taken for none at all."""
    (fault,) = faults(**{name: "PT"})
    assert fault == f"{name}: given 'PT', wanted {SETTINGS[name].wanted}"


# Secrets


SECRET = "5up3r-s3cr3t"
SIGNING = f"whsec_{b64encode(SECRET.encode() * 3).decode()}"
SECRETS = {
    "STATUS_WEBHOOK_SECRET": SIGNING,
    "STATUS_WEBHOOKS": f"teams=https://example.org/{SECRET} slack=https://{SECRET}.example.org/?sig={SECRET}",
    STORAGE: f"DefaultEndpointsProtocol=https;AccountName=fanout;AccountKey={SECRET}",
}


def test_secrets_are_not_in_settings():
    """No representation of the settings shows a webhook's URL or a connection string."""
    loaded = settings(**SECRETS)
    assert loaded.webhooks[1].url.endswith(SECRET)
    assert SECRET in loaded.storage.connection_string
    assert loaded.webhook_secrets == (SIGNING,)
    for text in (repr(loaded), str(loaded), f"{loaded}", repr(loaded.webhooks), repr(loaded.storage)):
        assert SECRET not in text
        assert SIGNING not in text


@pytest.mark.parametrize(
    "given",
    [
        {"STATUS_WEBHOOKS": f"https://example.org/{SECRET}"},
        {"STATUS_WEBHOOKS": f"teams=http://example.org/{SECRET}"},
        {"STATUS_WEBHOOKS": f"teams=https://[{SECRET}"},
        {"STATUS_WEBHOOKS": f"teams=https://example.org:{SECRET}/"},
        {"STATUS_WEBHOOKS": f"{SECRET}=https://example.org/"},
        {"STATUS_WEBHOOKS": f"teams=https://example.org/{SECRET} oops"},
        {"STATUS_WEBHOOK_SECRET": f"whsec_{SECRET}"},
        {"STATUS_WEBHOOK_SECRET": SECRET},
        {"STATUS_WEBHOOK_SECRET": f"{SIGNING} {SECRET}"},
        {STORAGE: f"DefaultEndpointsProtocol=http;AccountName=fanout;AccountKey={SECRET}"},
        {STORAGE: f"QueueEndpoint=http://example.org/{SECRET};TableEndpoint=https://example.org/{SECRET}"},
        {STORAGE: f"QueueEndpoint=https://[{SECRET};TableEndpoint=https://example.org/{SECRET}"},
        {STORAGE: SECRET},
        {"MODE": "oops"},
        {"ENCRYPTION_SETS": "oops"},
        {"POLICY_OVERRIDES": "oops"},
        {"POLICY_OVERRIDES": '{"a/b": {"keep_latest": 0}}'},
        {"POLICY_OVERRIDES": json.dumps({"a/b": {"status_webhooks": f"teams=https://example.org/{SECRET}"}})},
        {"POLICY_OVERRIDES": json.dumps({"a/b": {STORAGE: SECRETS[STORAGE]}})},
        {"POLICY_OVERRIDES": json.dumps({"status_webhooks": f"teams=https://example.org/{SECRET}"})},
    ],
)
def test_secrets_are_not_in_faults(given):
    """No fault, no exception and no traceback shows a secret, whether it is itself at fault or not."""
    with pytest.raises(BadSettings) as caught:
        load({**GOOD, **SECRETS, **given})
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told
    assert SIGNING not in told
    assert SECRET not in repr(caught.value) + str(caught.value) + str(caught.value.args)


def test_faulty_webhooks_are_told_by_position():
    """Which entry of STATUS_WEBHOOKS is wrong is said by its position."""
    (fault,) = faults(STATUS_WEBHOOKS=f"json=https://example.org/ slack=http://example.org/{SECRET}")
    assert fault.startswith("STATUS_WEBHOOKS: entry 2 is not one; given a secret that is not shown, wanted teams=URL")


# Anything at all


_TEXTS = st.one_of(
    st.text(),
    st.sampled_from([text for texts in BAD.values() for text in texts if DEEP not in text]),
    st.text(alphabet="PTDHMSWY0129.-+,"),
    st.text(alphabet="htps:/[]@127.0localst?#=; "),
    st.text(alphabet='{}[]",: \\u012ab/*?'),
)
_VALUES = st.one_of(
    strategies.json_values,
    _TEXTS,
    st.sampled_from(list(TUNED.values())),
    st.dictionaries(st.sampled_from(["westeurope", "West Europe", "eastus2"]), st.sampled_from([ENCRYPTION_SET, "x"])),
)
_KNOWN = [*(name.lower() for name in SETTINGS), *POLICY_SETTINGS, "exclusive", "Exclusive"]
_CHANGES = st.dictionaries(
    st.sampled_from(_KNOWN[: len(POLICY_SETTINGS)]) | st.sampled_from(_KNOWN) | st.text(), _VALUES
)
_PATTERNS = st.text(alphabet="aB*?", min_size=1).map("prodgallery/{}".format) | st.text(alphabet="aB*?/ .[")
_JSON = st.one_of(
    st.dictionaries(_PATTERNS, _CHANGES),
    st.dictionaries(_PATTERNS | st.text(), strategies.json_values),
    st.dictionaries(st.sampled_from(["westeurope", "West Europe", "we"]) | st.text(), _VALUES),
).map(json.dumps)
_NAMES = [*SETTINGS, STORAGE, *(f"{STORAGE}__{part}" for part in ("accountName", "queueServiceUri", "tableServiceUri"))]


@given(st.dictionaries(st.sampled_from(_NAMES), _TEXTS | _JSON), st.booleans())
def test_any_environment(given, with_good):
    """Any settings load or are told as faults, and nothing else is raised."""
    environment = {
        name: text for name, text in GOOD.items() if name != STORAGE or f"{STORAGE}__accountName" not in given
    }
    loads_or_tells({**environment, **given} if with_good else given)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            **{
                name: _TEXTS | st.just(TUNED[name])
                for name in ("TARGET_REGIONS", "WAVE_BAKE", "PRUNE_GRACE", "PROTECT_IN_USE")
            },
            "REPLICA_COUNT": st.sampled_from(["1", "60", "0"]),
            "ENCRYPTION_SETS": _JSON | _TEXTS,
            "POLICY_OVERRIDES": _JSON | _TEXTS,
        },
    )
)
def test_any_policy(given):
    """Any text for a policy and its overrides makes settings, or faults that are a line each and show no secret."""
    loads_or_tells({**GOOD, **given, **SECRETS})


def loads_or_tells(environment):
    """Load settings: they are good, or their faults are told as they should be."""
    try:
        loaded = load(environment)
    except BadSettings as bad:
        assert bad.faults  # noqa: PT017  either outcome is right
        assert all(fault.isprintable() for fault in bad.faults)  # noqa: PT017  the same
        assert all(fault.startswith(tuple(f"{name}: " for name in _NAMES)) for fault in bad.faults)  # noqa: PT017
        assert SECRET not in str(bad)  # noqa: PT017  the same
        return
    assert isinstance(loaded, Settings)
    assert SECRET not in repr(loaded)
    for policy in (loaded.policy, *(override.policy for override in loaded.overrides)):
        assert 1 <= sum(target.replicas for target in policy.regions) <= 100
        assert all(wave for wave in policy.waves)


# Addresses: http only to this machine


LOOPBACK = ["http://127.0.0.1:8443", "http://localhost", "http://[::1]:8080", "HTTP://LOCALHOST:80"]
CLEAR = [
    "http://example.org",
    "http://10.0.0.1",
    "http://127.0.0.1.example.org",
    "http://localhost.example.org",
    "http://127.0.0.1@example.org",
    "http://example.org#127.0.0.1",
    "http://example.org\\@127.0.0.1",
    "HTTP://example.org",
    "http://0.0.0.0",
    "http://[::]",
    "http://[::ffff:10.0.0.1]",
    "http://",
    "//127.0.0.1",
    "ws://127.0.0.1",
    "file:///etc/hosts",
]


@pytest.mark.parametrize("url", [*LOOPBACK, "https://management.chinacloudapi.cn"])
def test_addresses_that_are_taken(url):
    """An https address is taken anywhere, and http to this machine, for ARM, webhooks and storage alike."""
    assert settings(ARM_ENDPOINT=url).arm_endpoint == url
    assert settings(STATUS_WEBHOOKS=f"json={url}/hook").webhooks[0].url == f"{url}/hook"
    assert load(_without_storage() | _identity(f"{url}/account")).storage.queue_uri == f"{url}/account"
    text = f"AccountName=a;AccountKey=a2V5;QueueEndpoint={url}/a;TableEndpoint={url}/a"
    assert settings(**{STORAGE: text}).storage.connection_string == text


@pytest.mark.parametrize("url", CLEAR)
def test_addresses_that_are_refused(url):
    """Plain http to any other machine is refused, for ARM, webhooks and storage alike, however it is disguised."""
    assert faults(ARM_ENDPOINT=url)
    assert faults(STATUS_WEBHOOKS=f"json={url}")
    with pytest.raises(BadSettings):
        load(_without_storage() | _identity(url))
    assert faults(
        **{STORAGE: f"AccountName=a;AccountKey=a2V5;QueueEndpoint={url};TableEndpoint=https://example.org"}
    ) == [f"{STORAGE}: its endpoints are not https, {STORAGE_WANTED}"]


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1]x:80",
        "https://[::1",
        "https://[example.org]",
        "https://management.azure.com[x]",
        "https://\x80management.azure.com",
        "https://b\u00fccher.example",
        "https://management\u3002azure\u3002com",
        "https://a..b",
        "https://.example.org",
        f"https://{'x' * 64}.example.org",
        "https://%65xample.org",
        "https://example.org:+443",
        "https://example.org:\u0661",
        "https://user:word@example.org",
        "https://example.org\\@127.0.0.1",
        "https://example.org/\ud800",
    ],
)
def test_addresses_that_others_read_otherwise(url):
    """An address that the libraries which use it refuse, or see another host in, is refused when the app starts."""
    assert faults(ARM_ENDPOINT=url)
    assert faults(STATUS_WEBHOOKS=f"json={url}")
    assert faults(**{STORAGE: f"AccountName=a;AccountKey=a2V5;QueueEndpoint={url};TableEndpoint=https://example.org"})
    with pytest.raises(BadSettings):
        load(_without_storage() | _identity(url))


# Storage


STORAGE_WANTED = (
    f"wanted a connection string, or {STORAGE}__accountName"
    f" (or __queueServiceUri and __tableServiceUri) with https addresses"
)


def _without_storage():
    return {name: text for name, text in GOOD.items() if name != STORAGE}


def _identity(queue, table="https://fanout.table.core.windows.net"):
    return {f"{STORAGE}__queueServiceUri": queue, f"{STORAGE}__tableServiceUri": table}


@pytest.mark.parametrize(
    "text",
    [
        CONNECTION,
        f"{CONNECTION};",
        "AccountName=fanout;AccountKey=a2V5",
        "AccountName=fanout;SharedAccessSignature=sv=2024&sig=a%3D",
        (
            "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:10000/a"
            ";QueueEndpoint=http://127.0.0.1:10001/a;TableEndpoint=http://127.0.0.1:10002/a"
        ),
        (
            "QueueEndpoint=https://fanout.queue.core.windows.net/;TableEndpoint=https://fanout.table.core.windows.net/"
            ";SharedAccessSignature=sv=2024&sig=a%3D"
        ),
    ],
)
def test_connection_strings(text):
    """A connection string of any of the documented shapes is taken as it is."""
    storage = settings(**{STORAGE: f" {text} "}).storage
    assert storage.connection_string == text
    assert storage.queue_uri is None


@pytest.mark.parametrize("text", ["UseDevelopmentStorage=true", "usedevelopmentstorage=TRUE;"])
def test_development_storage(text):
    """The short form for a local emulator stands for the emulator's documented account on this machine."""
    connection = settings(**{STORAGE: text}).storage.connection_string
    assert "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1" in connection
    assert "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1" in connection
    assert settings(**{STORAGE: connection}).storage.connection_string == connection


@pytest.mark.parametrize(
    "text",
    [
        "DefaultEndpointsProtocol=http;AccountName=fanout;AccountKey=a2V5",
        "defaultendpointsprotocol=HTTP;AccountName=fanout;AccountKey=a2V5",
        "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;QueueEndpoint=http://127.0.0.1:10001/a",
        "AccountName=a;AccountKey=a2V5;queueendpoint=HTTP://example.org;TableEndpoint=https://example.org",
        "AccountName=a;AccountKey=a2V5;QueueEndpoint= http://example.org;TableEndpoint=https://example.org",
        "DefaultEndpointsProtocol=ftp;AccountName=a;AccountKey=a2V5",
        "AccountName=x@example.org/;AccountKey=a2V5",
        "AccountName=a;AccountKey=a2V5;EndpointSuffix=example.org:80x",
        "AccountName=a;AccountKey=a2V5;EndpointSuffix=/../",
    ],
)
def test_connection_strings_in_the_clear(text):
    """A connection string that would talk over the network unencrypted is refused, in whatever spelling."""
    assert faults(**{STORAGE: text}) == [f"{STORAGE}: its endpoints are not https, {STORAGE_WANTED}"]


@pytest.mark.parametrize(
    "text",
    [
        "fanout",
        "https://fanout.queue.core.windows.net",
        "AccountKey=a2V5",
        "AccountName=fanout",
        "QueueEndpoint=https://example.org;SharedAccessSignature=x",
        "QueueEndpoint=https://example.org;TableEndpoint=https://example.org",
        "AccountName=;AccountKey=",
        "AccountName=a;AccountKey= ",
        "AccountName=a;AccountKey=a2V5;x",
        "AccountName=a;AccountKey=a2V5;=x",
        "AccountName=a;;AccountKey=a2V5",
        "AccountName=a;AccountKey=a2V5;accountname=b",
        "AccountName =a;AccountKey=a2V5",
        "AccountName=a;SharedAccessSignature=",
    ],
)
def test_not_connection_strings(text):
    """What cannot be a connection string to queues and tables stops the start instead of the first message."""
    assert faults(**{STORAGE: text}) == [f"{STORAGE}: it is not a connection string, {STORAGE_WANTED}"]


def test_identity_by_account_name():
    """An account name is enough for the app's identity."""
    storage = load(_without_storage() | {f"{STORAGE}__accountName": "fanout"}).storage
    assert storage.connection_string is None
    assert storage.queue_uri == "https://fanout.queue.core.windows.net"
    assert storage.table_uri == "https://fanout.table.core.windows.net"
    assert storage.client_id is None


def test_identity_by_addresses():
    """Addresses of queues and tables, and the client id of an identity, are taken as they are given."""
    given = _identity("https://q.example.org/", "https://t.example.org/") | {f"{STORAGE}__clientId": "1234"}
    storage = load(_without_storage() | given).storage
    assert (storage.queue_uri, storage.table_uri) == ("https://q.example.org", "https://t.example.org")
    assert storage.client_id == "1234"


def test_empty_addresses_are_not_given():
    """An address that is given empty is not given: the account name stands in."""
    given = {f"{STORAGE}__accountName": "fanout", f"{STORAGE}__queueServiceUri": " ", f"{STORAGE}__clientId": ""}
    storage = load(_without_storage() | given).storage
    assert storage.queue_uri == "https://fanout.queue.core.windows.net"
    assert storage.client_id is None


@pytest.mark.parametrize(
    "given",
    [
        {},
        {STORAGE: "  "},
        {f"{STORAGE}__queueServiceUri": "https://q.example.org"},
        {f"{STORAGE}__tableServiceUri": "https://t.example.org"},
        _identity("https://["),
        _identity("q.example.org"),
    ],
)
def test_no_storage(given):
    """Without a connection string and without both addresses the app does not start."""
    with pytest.raises(BadSettings) as caught:
        load(_without_storage() | given)
    assert caught.value.faults == [
        f"{STORAGE}: neither a connection string nor identity-based addresses are given, {STORAGE_WANTED}"
    ]


# Webhooks


def test_webhooks_are_named_by_position_and_kind():
    """Webhooks are called by position and kind, found by that name, and several may be of one kind."""
    loaded = settings(
        STATUS_WEBHOOKS="teams=https://a.example/?x=1&y=2 slack=https://b.example/\n json=http://127.0.0.1:9/ "
        "teams=https://c.example/"
    )
    assert [hook.name for hook in loaded.webhooks] == ["1-teams", "2-slack", "3-json", "4-teams"]
    assert loaded.webhook("1-teams").url == "https://a.example/?x=1&y=2"
    assert loaded.webhook("4-teams").url == "https://c.example/"
    assert loaded.webhook("5-teams") is None


_INVOKED = "triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=x-y_z"
_DIRECT = "powerautomate/automations/direct/workflows"
WORKFLOWS = [
    f"https://prod-23.westeurope.logic.azure.com:443/workflows/0a1b/{_INVOKED}",
    f"https://0a1b2c.4d.environment.api.powerplatform.com:443/{_DIRECT}/0a1b/{_INVOKED}",
    "https://api.powerplatform.com/x?sig=y",
    "https://chat.example.org/hooks/teams",
    "https://flows.example:8443/",
]


@pytest.mark.parametrize("url", WORKFLOWS)
@pytest.mark.parametrize("kind", ["teams", "slack", "json"])
def test_any_host_can_have_a_webhook(kind, url):
    """A webhook may be at any host, those of Teams Workflows (Logic Apps, then Power Platform) and any other."""
    loaded = settings(STATUS_WEBHOOKS=f"{kind}={url}")
    assert [(hook.kind, hook.url) for hook in loaded.webhooks] == [(kind, url)]
    assert loaded.warnings == ()


@pytest.mark.parametrize(
    "url",
    [
        "https://outlook.office.com/webhook/0a1b@2c/IncomingWebhook/3d/4e",
        "https://OUTLOOK.office365.com/webhook/x",
        "https://example.webhook.office.com/webhookb2/x",
        "https://webhook.office.com/x",
    ],
)
def test_retired_webhooks_are_warned_of(url):
    """A webhook of Teams of the old kind, which Microsoft has retired, is warned of by its place; the app goes on."""
    loaded = settings(STATUS_WEBHOOKS=f"slack=https://hooks.slack.com/x teams={url}")
    (warning,) = loaded.warnings
    assert warning.startswith(
        "STATUS_WEBHOOKS: 2-teams is an Office 365 connector, which Microsoft has retired; make a"
    )
    assert url not in warning
    assert settings(STATUS_WEBHOOKS=f"teams={url.replace('office', 'example')}").warnings == ()


def test_a_gallery_named_twice_is_managed_once():
    """A gallery that is named twice, in whatever letter case, is swept once."""
    (gallery,) = settings(GALLERIES=f"{GALLERY_ID}, {GALLERY_ID.upper()}").galleries
    assert str(gallery) == GALLERY_ID


def test_a_signature_is_no_identity():
    """A storage address with a signature in it is not identity-based: it would show wherever settings are shown."""
    sas = "https://fanout.queue.core.windows.net/?sv=2024&sig=c2VjcmV0"
    given = {"AzureWebJobsStorage__queueServiceUri": sas, "AzureWebJobsStorage__accountName": "fanout"}
    (fault,) = faults(AzureWebJobsStorage="", **given)
    assert "c2VjcmV0" not in fault
