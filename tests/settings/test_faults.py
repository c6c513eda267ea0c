import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.errors import Malformed
from shared.settings import SETTINGS, STORAGE, BadSettings, Settings, load, readers
from tests.core.build import GALLERY_ID, IMAGE_ID
from tests.settings.environment import CONNECTION, GOOD, faults, settings

LATER = (
    "ENCRYPTION_SETS",
    "WAVE_BAKE",
    "PRUNE_GRACE",
    "POLICY_OVERRIDES",
    "STATUS_WEBHOOK_SECRET",
    "STATUS_TOPIC_ENDPOINT",
    "STATUS_EVENTS",
    "STORAGE_PRICE_PER_GIB_MONTH",
)
BAD = {
    "TARGET_REGIONS": ["westeurope=0", "we", '"west', "westeurope westeurope", "westeurope=101", "westeurope;eastus2"],
    "REPLICA_COUNT": ["0", "-1", "101", "1.5", "one", "\u0661", "1_0", "9" * 5000],
    "VMS_PER_REPLICA": ["0", "1001", "many"],
    "STORAGE_ACCOUNT_TYPE": ["ultra", "Standard LRS", "standard_lrs standard_zrs"],
    "ENCRYPTION_SETS": ['{"westeurope": "x"}', "[]"],
    "WAVE_BAKE": ["PT1H"],
    "KEEP_LATEST": ["0", "-1", "1001", "all"],
    "HOME_REPLICA_COUNT": ["0", "101"],
    "PRUNE_GRACE": ["PT1H", "P1D"],
    "PRUNE_MAX_PER_PASS": ["0", "1001"],
    "PROTECT_TAG": ["a/b", "a\\b", "<a>", "100%", "a?", "a&b", "a\x07b", "x" * 513],
    "PROTECT_IN_USE": ["yes", "vms", "scale sets", "none"],
    "PRUNE_UNLOCKS_REGIONS": ["yes", "1", "on", "truee"],
    "MODE": ["prune", "dry-run", "full observe"],
    "GALLERIES": ["prodgallery", ",", IMAGE_ID, f"{GALLERY_ID} prodgallery", f"{GALLERY_ID}/..", f"{GALLERY_ID};"],
    "POLICY_OVERRIDES": ['{"prod/*": {"keep_latest": 2}}', "x"],
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
    "STATUS_WEBHOOKS": ["https://example.org/x", "teams", "teams=", "email=https://example.org/x", "teams=https://["],
    "STATUS_WEBHOOK_SECRET": ["whsec_c2VjcmV0"],
    "STATUS_TOPIC_ENDPOINT": ["https://topic.westeurope-1.eventgrid.azure.net/api/events"],
    "STATUS_EVENTS": ["completed"],
    "STORAGE_PRICE_PER_GIB_MONTH": ["0.05"],
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


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD.items() for text in texts])
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


@pytest.mark.parametrize("name", LATER)
def test_not_supported_yet(name):
    """A setting whose feature is not built is refused in those words, instead of being ignored."""
    (fault,) = faults(**{name: BAD[name][0]})
    assert fault.startswith(f"{name}: not supported yet; given ")
    assert fault.endswith("wanted nothing, for now")


def test_all_faults_at_once():
    """One start tells every fault: a line each, and their number."""
    spoilt = {name: texts[0] for name, texts in BAD.items()} | {STORAGE: "nonsense"}
    with pytest.raises(BadSettings) as caught:
        load(spoilt)
    assert [fault.partition(":")[0] for fault in sorted(caught.value.faults)] == sorted([*BAD, STORAGE])
    assert str(caught.value).startswith(f"{len(BAD) + 1} of the app settings cannot be used:\n  - ")
    assert len(str(caught.value).splitlines()) == len(BAD) + 2


def test_nothing_given():
    """An empty environment tells what is required, and which decision about what is in use is wanted."""
    with pytest.raises(BadSettings) as caught:
        load({})
    assert [fault.partition(":")[0] for fault in caught.value.faults] == [
        "TARGET_REGIONS",
        "GALLERIES",
        STORAGE,
        "PROTECT_IN_USE",
    ]


def test_region_faults_are_all_told():
    """Every fault of the regions is told, also when the defaults that they need are faulty themselves."""
    told = faults(TARGET_REGIONS="we uksouth=40vms eastus2=x", VMS_PER_REPLICA="0", STORAGE_ACCOUNT_TYPE="best")
    assert len(told) == 3
    regions = next(fault for fault in told if fault.startswith("TARGET_REGIONS"))
    assert "'we' is not the name of a region" in regions
    assert "'x' is not a number of replicas" in regions


# Secrets


SECRET = "5up3r-s3cr3t"
SECRETS = {
    "STATUS_WEBHOOKS": f"teams=https://example.org/{SECRET} slack=https://{SECRET}.example.org/?sig={SECRET}",
    STORAGE: f"DefaultEndpointsProtocol=https;AccountName=fanout;AccountKey={SECRET}",
}


def test_secrets_are_not_in_settings():
    """No representation of the settings shows a webhook's URL or a connection string."""
    loaded = settings(**SECRETS)
    assert loaded.webhooks[1].url.endswith(SECRET)
    assert SECRET in loaded.storage.connection_string
    for text in (repr(loaded), str(loaded), f"{loaded}", repr(loaded.webhooks), repr(loaded.storage)):
        assert SECRET not in text


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
        {STORAGE: f"DefaultEndpointsProtocol=http;AccountName=fanout;AccountKey={SECRET}"},
        {STORAGE: f"QueueEndpoint=http://example.org/{SECRET};TableEndpoint=https://example.org/{SECRET}"},
        {STORAGE: f"QueueEndpoint=https://[{SECRET};TableEndpoint=https://example.org/{SECRET}"},
        {STORAGE: SECRET},
        {"MODE": "oops"},
    ],
)
def test_secrets_are_not_in_faults(given):
    """No fault, no exception and no traceback shows a secret, whether it is itself at fault or not."""
    with pytest.raises(BadSettings) as caught:
        load({**GOOD, **SECRETS, **given})
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told
    assert SECRET not in repr(caught.value) + str(caught.value) + str(caught.value.args)


def test_faulty_webhooks_are_told_by_position():
    """Which entry of STATUS_WEBHOOKS is wrong is said by its position."""
    (fault,) = faults(STATUS_WEBHOOKS=f"json=https://example.org/ slack=http://example.org/{SECRET}")
    assert fault.startswith("STATUS_WEBHOOKS: entry 2 is not one; given a secret that is not shown, wanted teams=URL")


# Anything at all


_TEXTS = st.one_of(
    st.text(),
    st.sampled_from([text for texts in BAD.values() for text in texts]),
    st.text(alphabet="PTDHMSWY0129.-+,"),
    st.text(alphabet="htps:/[]@127.0localst?#=; "),
)
_NAMES = [*SETTINGS, STORAGE, *(f"{STORAGE}__{part}" for part in ("accountName", "queueServiceUri", "tableServiceUri"))]


@given(st.dictionaries(st.sampled_from(_NAMES), _TEXTS), st.booleans())
def test_any_environment(given, with_good):
    """Any settings load or are told as faults, and nothing else is raised."""
    environment = {
        name: text for name, text in GOOD.items() if name != STORAGE or f"{STORAGE}__accountName" not in given
    }
    try:
        loaded = load({**environment, **given} if with_good else given)
    except BadSettings as bad:
        assert bad.faults  # noqa: PT017  either outcome is right
        return
    assert isinstance(loaded, Settings)


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


def test_readers_tell_malformed_from_bad():
    """A reader that knows what is wrong says it."""
    with pytest.raises(Malformed, match="not supported yet"):
        readers.later("x")("y")


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
