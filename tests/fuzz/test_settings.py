"""App settings: loaded, or told as faults, and what was taken is what the libraries take it for."""

import json

from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import Url, parse_url

from shared.settings import SETTINGS, STORAGE, BadSettings, Settings, load
from tests.fuzz.mutations import hostile_json, odd_texts, spoiled, spoiled_json, tried
from tests.fuzz.samples import ENVIRONMENT
from tests.settings.environment import CONNECTION, GOOD

_IDENTITY = {
    f"{STORAGE}__accountName": "fanout",
    f"{STORAGE}__queueServiceUri": "https://fanout.queue.core.windows.net",
    f"{STORAGE}__tableServiceUri": "https://fanout.table.core.windows.net/",
    f"{STORAGE}__clientId": "12345678-9abc-def0-1234-56789abcdef0",
}
_NAMES = (*ENVIRONMENT, *_IDENTITY)
_JSON = ("ENCRYPTION_SETS", "POLICY_OVERRIDES")
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@st.composite
def environments(draw: st.DrawFn) -> dict[str, str]:
    """Give settings that are good but for up to three, which are spoiled, foreign to each other or missing."""
    environment = {**ENVIRONMENT, **_IDENTITY}
    if draw(st.booleans()):
        del environment[STORAGE]
    for name in draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=3)):
        good = ENVIRONMENT.get(name) or _IDENTITY.get(name, "")
        choices = [spoiled([good]), odd_texts, st.sampled_from([*ENVIRONMENT.values()])]
        if name in _JSON:
            choices += [spoiled_json([json.loads(good)])] * 3 + [hostile_json]
        environment[name] = draw(st.one_of(choices))
    return environment


@given(environments())
@tried(75)
def test_spoiled_settings(environment):
    """Spoiled settings load or are BadSettings, each fault one printable line that names its setting."""
    try:
        loaded = load(environment)
    except BadSettings as bad:
        assert bad.faults  # noqa: PT017  either outcome is right
        assert all(fault.isprintable() for fault in bad.faults)  # noqa: PT017  the same
        assert all(fault.startswith(tuple(f"{name}: " for name in (*SETTINGS, STORAGE))) for fault in bad.faults)  # noqa: PT017
        return
    assert isinstance(loaded, Settings)
    assert all(warning.isprintable() for warning in loaded.warnings)


_URLS = [
    ENVIRONMENT["ARM_ENDPOINT"],
    "https://example.org:443/a/b?sig=c#d",
    "https://prod-1.westeurope.logic.azure.com:443/workflows/x/triggers/manual/paths/invoke?api-version=1&sig=y",
    "http://127.0.0.1:8080/x",
    "http://localhost/",
    "http://[::1]:80/",
]


def check(url: str) -> Url:
    """Claim that an address is https or to this machine for the library that calls it; give what that sees in it."""
    seen = parse_url(url)
    assert seen.scheme == "https" or (seen.scheme == "http" and seen.host in _LOOPBACK)
    assert seen.host
    assert seen.auth is None
    return seen


@given(spoiled(_URLS) | spoiled(_URLS).map("{} slack=https://example.org/".format))
@tried(100)
def test_webhooks(text):
    """A webhook that is accepted can be posted to, https or to this machine; nothing is shown of one that is not."""
    try:
        webhooks = load({**GOOD, "STATUS_WEBHOOKS": f"json={text}"}).webhooks
    except BadSettings as bad:
        assert "sig=" not in str(bad)  # noqa: PT017  either outcome is right
        return
    for webhook in webhooks:
        check(webhook.url)


@given(spoiled(_URLS))
@tried(100)
def test_arm_endpoints(text):
    """An ARM endpoint that is accepted can be asked, https or on this machine, and is nothing but a host."""
    try:
        seen = check(load({**GOOD, "ARM_ENDPOINT": text}).arm_endpoint)
    except BadSettings:
        return
    assert (seen.path or "/", seen.query, seen.fragment) == ("/", None, None)


_PLACED = "QueueEndpoint=https://a.queue.core.windows.net;TableEndpoint=https://a.table.core.windows.net;"


@given(
    spoiled([CONNECTION, f"{_PLACED}SharedAccessSignature=sv=1&sig=c2ln", f"{_PLACED}AccountName=a;AccountKey=a2V5"])
)
@tried(75)
def test_connections(text):
    """A connection string that is accepted is one that the libraries of queues and tables accept too, over https."""
    try:
        connection = load({**GOOD, STORAGE: text}).storage.connection_string
    except BadSettings:
        return
    for kind in (QueueServiceClient, TableServiceClient):
        with kind.from_connection_string(connection) as service:
            assert service.url.startswith(("https://", "http://127.0.0.1:", "http://localhost", "http://[::1]"))
