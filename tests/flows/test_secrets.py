"""Secrets are planted in every setting that holds one, everything goes wrong, and then they are looked for."""

import json
import logging
from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta
from traceback import format_exception

import azure.functions as func
import pytest

from handlers.journal import quiet_libraries
from local.azure import Fault
from local.outage import Outside, answering, unreachable
from shared.core.messages import Queue
from shared.settings.table import SETTINGS, STORAGE
from tests.adapters.support import NOBODY
from tests.flows.clockwork import HOME, THREE, Clockwork
from tests.served import functions

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


def _overheard(clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give a list of every text that is put into a queue from now on, with its queue, also of those taken since."""
    texts: list[str] = []
    put_text = clockwork.queues.put_text

    def put(queue: str, text: str, *, delay: timedelta = timedelta(0)) -> None:
        texts.append(f"{queue} {text}")
        put_text(queue, text, delay=delay)

    monkeypatch.setattr(clockwork.queues, "put_text", put)
    return texts


def _shown(clockwork: Clockwork) -> Mapping[str, str]:
    """Fetch all that the app shows: the page and its facts, of everything and of the definition, and the plan."""
    known = functions(clockwork.app)
    shown = {}
    for name in ("status", "status_json", "plan"):
        for params in ({}, {"definition": clockwork.image}):
            answer = known[name](func.HttpRequest("GET", f"/api/{name}", params=params, body=b""))
            shown[f"{name} of {len(params)}"] = f"{dict(answer.headers)} {answer.get_body().decode()}"
    return shown


def test_no_secret_gets_out(
    clockwork: Clockwork, storage: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the URL of a webhook nor the key of the storage is in any log line, message, row, status, page, plan or
    exception, nor is the secret that signs.
    """
    azure, outside = clockwork.azure, clockwork.outside
    texts = _overheard(clockwork, monkeypatch)
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
        shown = _shown(clockwork)

    key = dict(part.split("=", 1) for part in storage.strip(";").split(";"))["AccountKey"]
    left = {
        "log": caplog.text,
        "messages": "\n".join(texts),
        **shown,
        "rows": clockwork.rows(),
        "statuses": json.dumps([post.body for post in azure.posts]),
        "exceptions": "".join("".join(format_exception(fault)) for fault in clockwork.faults),
    }
    assert len(left["log"]) > 10_000
    assert "webhook 2-slack: HTTP 404" in left["rows"]  # a webhook that is gone ended as a dead letter
    assert clockwork.faults
    put = {text.partition(" ")[0] for text in texts}
    assert put >= {*Queue, Queue.NOTIFY.poison}  # each was looked into
    assert "1.0.3" in left["status of 1"]
    assert "webhook 2-slack: HTTP 404" in left["status of 0"]
    assert "webhook 2-slack: HTTP 404" in left["status_json of 0"]
    assert '"1.0.3"' in left["plan of 1"]
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
