"""Secrets are planted in every setting that holds one, everything goes wrong, and then they are looked for."""

import json
import logging
from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta
from traceback import format_exception

import pytest

from handlers.journal import quiet_libraries
from local.azure import Fault
from local.outage import Outside, answering, unreachable
from shared.settings.table import SETTINGS, STORAGE
from tests.adapters.support import NOBODY
from tests.flows.clockwork import HOME, THREE, Clockwork

pytestmark = pytest.mark.flow

CANARY = "c4nary"
MINUTE = timedelta(minutes=1)
SIGNING = f"whsec_{b64encode(CANARY.encode() * 5).decode()}"


def _planted(clockwork: Clockwork) -> Mapping[str, str]:
    hooks = {
        "teams": clockwork.azure.chat_url("teams", CANARY),
        "slack": clockwork.azure.chat_url("slack", CANARY),
        "json": f"{NOBODY}/{CANARY}?sig={CANARY}",
    }
    urls = " ".join(f"{kind}={url}" for kind, url in hooks.items())
    return {"STATUS_WEBHOOKS": urls, "STATUS_WEBHOOK_SECRET": SIGNING}


def test_no_secret_gets_out(clockwork: Clockwork, storage: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the URL of a webhook nor the key of the storage is in any log line, message, row, status or exception."""
    azure, outside = clockwork.azure, clockwork.outside
    quiet_libraries()
    azure.set_behaviour(faults=[Fault("PATCH", r"versions/1\.0\.2$", 403, "AuthorizationFailed", "no right")])
    azure.chat_answers("teams", [500, 302, 200, 404])
    azure.chat_answers("slack", [404, 410])
    planted = _planted(clockwork)
    assert {name for name, each in SETTINGS.items() if each.secret} == planted.keys()
    with caplog.at_level(logging.DEBUG), outside:
        for number in ("1.0.1", "1.0.2"):
            azure.add_version(clockwork.image, number, regions=list(THREE))
        clockwork.decide(" ".join(THREE), **planted)
        azure.publish(clockwork.image, "1.0.3", home=HOME)
        clockwork.pass_time(10 * MINUTE)
        _trouble_with_storage(clockwork, outside)
        clockwork.surely(lambda: clockwork.event("1.0.3"))
        clockwork.run(timedelta(days=2), handle=clockwork.deliver)

    key = dict(part.split("=", 1) for part in storage.strip(";").split(";"))["AccountKey"]
    left = {
        "log": caplog.text,
        "messages": "".join(message.text for message in clockwork.queues.waiting),
        "rows": clockwork.rows(),
        "statuses": json.dumps([post.body for post in azure.posts]),
        "exceptions": "".join("".join(format_exception(fault)) for fault in clockwork.faults),
    }
    assert len(left["log"]) > 10_000
    assert "webhook 2-slack: HTTP 404" in left["rows"]  # a webhook that is gone ended as a dead letter
    assert clockwork.faults
    for where, text in left.items():
        assert CANARY not in text, where
        assert key not in text, where
        assert SIGNING.removeprefix("whsec_") not in text, where


def _trouble_with_storage(clockwork: Clockwork, outside: Outside) -> None:
    """Refuse a call to the table, and break those of a minute: exceptions hold what they were made with."""
    begun = clockwork.clock.at
    outside.trouble(
        lambda call: "rollouts" in call.path and not clockwork.faults, answering(403, "AuthenticationFailed")
    )
    outside.trouble(lambda call: "rollouts" in call.path and clockwork.clock.at < begun + MINUTE, unreachable)


def test_no_secret_is_shown_by_settings() -> None:
    """Every setting whose name speaks of a secret, and the storage's, is one: it is never shown."""
    named = {name for name in SETTINGS if "SECRET" in name or "WEBHOOK" in name}
    assert all(SETTINGS[name].secret for name in named)
    assert STORAGE not in SETTINGS  # it has a reader of its own
