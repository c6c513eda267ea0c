"""How addresses are read: of Azure Resource Manager, of webhooks, of storage. A reader raises ``ValueError``."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from shared.core.errors import Malformed
from shared.settings.values import Storage, Webhook, WebhookKind

_HOST = r"[\w-]{1,63}(?:\.[\w-]{1,63})*"
_URL = re.compile(
    rf"https?://(?:{_HOST}|\[[0-9a-f:.]+\])(?::\d{{1,5}})?(?:[/?#][!-\[\]-~]*)?", re.ASCII | re.IGNORECASE
)
"""No name or password, a host in plain letters, and nothing after it but what can be seen; no backslash."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_POSTED = tuple(kind for kind in WebhookKind if kind is not WebhookKind.TOPIC)
_OFFICE = frozenset({"outlook.office.com", "outlook.office365.com", "webhook.office.com"})
_IDENTITY_PARTS = ("accountName", "queueServiceUri", "tableServiceUri", "clientId")
_AZURITE_ACCOUNT = "devstoreaccount1"
_AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Documented by Azurite for everybody; it opens nothing but an emulator."""
_AZURITE = ";".join(
    [
        "DefaultEndpointsProtocol=http",
        f"AccountName={_AZURITE_ACCOUNT}",
        f"AccountKey={_AZURITE_KEY}",
        f"QueueEndpoint=http://127.0.0.1:10001/{_AZURITE_ACCOUNT}",
        f"TableEndpoint=http://127.0.0.1:10002/{_AZURITE_ACCOUNT}",
    ]
)


def safe_url(text: str) -> bool:
    """Whether it is https, or http that never leaves this machine, and so plain that every reader sees the same in it.

    The libraries that will use it would say so too, but to load one takes longer than all settings together.
    """
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return False
    secure = url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK)
    return secure and port != 0 and _URL.fullmatch(text) is not None


def address(text: str) -> str:
    """Read the address of a service: nothing in it that could be a credential."""
    if not safe_url(text) or "?" in text or "#" in text:
        raise ValueError
    return text.rstrip("/")


def endpoint(text: str) -> str:
    """Read the address of a service, without a path."""
    if urlsplit(text).path.strip("/"):
        raise ValueError
    return address(text)


def webhooks(text: str) -> tuple[Webhook, ...]:
    """Read ``teams=URL slack=URL json=URL``. What is wrong is said without showing it: a URL is a credential."""
    found = []
    for position, word in enumerate(text.split(), start=1):
        kind, _, url = word.partition("=")
        if kind not in _POSTED or not safe_url(url):
            raise Malformed(f"entry {position} is not one")
        found.append(Webhook(f"{position}-{kind}", WebhookKind(kind), url))
    return tuple(found)


def is_office_connector(url: str) -> bool:
    """Whether it is a webhook of Teams of the old kind (retired: posts to it reach nobody)."""
    host = urlsplit(url).hostname or ""
    return host in _OFFICE or host.endswith(".webhook.office.com")


def storage(environment: Mapping[str, str], name: str) -> Storage:
    """Read a connection as the Functions host does: a connection string, or ``name__accountName`` and its like.

    :raises Malformed: when there is none, or one that sends keys over the network in the clear.
    """
    text = environment.get(name, "").strip()
    if text:
        return Storage(_connection(text))
    given = {part: environment.get(f"{name}__{part}", "").strip() for part in _IDENTITY_PARTS}
    account = given["accountName"]
    queue = given["queueServiceUri"] or (account and f"https://{account}.queue.core.windows.net")
    table = given["tableServiceUri"] or (account and f"https://{account}.table.core.windows.net")
    try:
        return Storage(None, address(queue), address(table), given["clientId"] or None)
    except ValueError:
        raise Malformed("neither a connection string nor identity-based addresses are given") from None


def _connection(text: str) -> str:
    if text.lower().rstrip(";") == "usedevelopmentstorage=true":
        return _AZURITE
    pairs = [pair.partition("=") for pair in text.rstrip(";").split(";")]
    given = {key.lower(): value for key, _, value in pairs if key and value.strip()}
    account = given.get("accountname")
    placed = "queueendpoint" in given and "tableendpoint" in given
    opened = (account and "accountkey" in given) or "sharedaccesssignature" in given
    if len(given) != len(pairs) or not opened or not (placed or account):
        raise Malformed("it is not a connection string")
    protocol, suffix = given.get("defaultendpointsprotocol", "https"), given.get("endpointsuffix", "core.windows.net")
    made = re.fullmatch(f"https://{_HOST}", f"{protocol}://{account}.queue.{suffix}", re.ASCII | re.IGNORECASE)
    if not (placed or made) or not all(safe_url(value) for key, value in given.items() if key.endswith("endpoint")):
        raise Malformed("its endpoints are not https")
    return text
