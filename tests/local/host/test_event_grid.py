import pytest

from tests.local.host.support import ask, event, notify, says

_APP = """
@app.event_grid_trigger(arg_name="event")
@app.queue_output(arg_name="work", queue_name="work", connection=STORAGE)
def take(event: func.EventGridEvent, work: func.Out[str]) -> None:
    if event.subject == "bad":
        raise ValueError("cannot take this")
    logging.info("took %s", event.subject)
    work.set(json.dumps({"subject": event.subject}))

@app.queue_trigger(arg_name="message", queue_name="work", connection=STORAGE)
def do(message: func.QueueMessage) -> None:
    logging.info("did %s", message.get_json()["subject"])
"""


@pytest.fixture(scope="module")
def host(serve_all):
    """Run the app, once for all tests here."""
    with serve_all(_APP) as running:
        yield running


def test_an_event_goes_through_a_queue(host):
    """An event becomes an invocation, its output a message, and the message an invocation."""
    assert notify(host, "take", event("one")) == 202
    says(host, "did one")


def test_handshake(host):
    """The handshake of a subscription is answered with its code, and the end of one with 200."""
    body = [{"data": {"validationCode": "c0de"}}]
    status, text = ask("POST", host.event_grid_url("take"), body, aeg_event_type="SubscriptionValidation")
    assert (status, text) == (200, '{"validationResponse": "c0de"}')
    assert ask("POST", host.event_grid_url("take"), [], aeg_event_type="Unsubscribe")[0] == 200


def test_one_failure_fails_the_post(host):
    """One failing event fails the whole POST; the others have run all the same."""
    assert notify(host, "take", event("good"), event("bad"), event("better")) == 500
    says(host, "took good")
    says(host, "took better")
    assert "ERROR host take failed: ValueError: cannot take this" in host.log()


def test_who_is_let_in(host):
    """Without the key 401, for a function that takes no events 404; addresses and bodies are not logged."""
    keyless = host.event_grid_url("take").replace(host.key, "guess")
    assert ask("POST", keyless, [event("one")], aeg_event_type="Notification")[0] == 401
    assert notify(host, "nobody", event("one")) == 404
    assert notify(host, "do", event("one")) == 404
    assert notify(host, "TAKE", event("one")) == 202
    assert host.key not in host.log()
    assert "eventTime" not in host.log()
