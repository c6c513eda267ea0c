"""Post one status to one receiver, once."""

from datetime import timedelta
from types import ModuleType

from handlers.journal import note
from handlers.stage import Done, Failed, Outcome, Wait
from shared.core.delivery import Verdict, verdict, wait
from shared.core.messages import Notify
from shared.formats import cloudevent, slack, teams
from shared.settings import WebhookKind
from shared.wiring import App

_FORMS: dict[WebhookKind, ModuleType] = {
    WebhookKind.TEAMS: teams,
    WebhookKind.SLACK: slack,
    WebhookKind.JSON: cloudevent,
    WebhookKind.TOPIC: cloudevent,
}
_NO_STATUS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What the making of a message raises for something that is no status of ours."""

_POST_LASTS = timedelta(minutes=1)  # above the time limits of a post


def handle(app: App, message: Notify, ticket: str) -> Outcome:
    """Post a status to its receiver; one for several becomes a message for each."""
    each = message.each
    return _spread(app, each) if len(each) > 1 else _post(app, message, ticket)


def _spread(app: App, each: list[Notify]) -> Outcome:
    """Give each receiver a message of its own, with a fate of its own. Spread twice, it is still posted once."""
    for message in each:
        app.queues.put(message)
    return Done()


def _post(app: App, message: Notify, ticket: str) -> Outcome:
    webhook = app.settings.webhook(message.webhook)
    if webhook is None:
        return Failed(f"there is no receiver {message.webhook} in the settings any more")
    now, event, form = app.now(), message.event, _FORMS[webhook.kind]
    try:
        name, body = str(event["id"]), form.body(event)
    except _NO_STATUS as fault:
        return Failed(f"its status cannot be shown: {type(fault).__name__}: {fault}")
    delivery = app.deliveries.begin(name, webhook.name, ticket, now=now, lasting=_POST_LASTS)
    if delivery is None:
        note("notify.double", webhook=webhook.name, event=name)
        return Done()

    receiver = app.topic if webhook.kind is WebhookKind.TOPIC else app.webhooks
    answer = receiver.post(webhook, body, form.CONTENT_TYPE)
    note("notify.posted", webhook=webhook.name, event=name, answer=answer.reason)

    found = verdict(answer.status)
    if found is Verdict.POSTED:
        delivery.posted(app.now())
        return Done()
    delivery.again()
    delay = wait(message.attempt, answer.retry_after, message.deadline - app.now())
    if found is Verdict.REFUSED or delay is None:
        return Failed(f"webhook {webhook.name}: {answer.reason}")
    return Wait(delay, answer.reason, message.failed_once_more())
