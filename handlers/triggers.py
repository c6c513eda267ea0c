"""Every function of the app and what starts it, in the order of the flow.

What a function does is in the module of its stage, which is loaded with its first call: an instance serves few of the
functions, and one that was just started for an event should not load what only others need.
"""

from importlib import import_module
from typing import NamedTuple

import azure.functions as func

from handlers import image_event
from handlers.stage import take
from shared.core.messages import Queue
from shared.settings import STORAGE
from shared.wiring import App


class _Request(NamedTuple):
    """What answers a request: a function of a stage, which gives the app's function its name."""

    method: str
    route: str
    module: str
    name: str


_REQUESTS = (
    _Request("GET", "status", "dashboard", "status"),
    _Request("GET", "status.json", "dashboard", "status_json"),
    _Request("POST", "reconcile", "asking", "ask_for_a_pass"),
    _Request("POST", "dead-letters/{queue}/replay", "asking", "replay_dead_letters"),
    _Request("GET", "plan", "planning", "plan"),
)


def blueprint(app: App) -> func.Blueprint:
    """Give all functions."""
    functions = func.Blueprint()
    _on_event(functions, app)
    _on_timer(functions, app)
    for queue in Queue:
        _on_message(functions, app, queue)
    for queue in Queue:
        _on_dead_letter(functions, app, queue)
    for request in _REQUESTS:
        _on_request(functions, app, request)
    return functions


def _on_event(functions: func.Blueprint, app: App) -> None:
    @functions.function_name("image_event")
    @functions.event_grid_trigger(arg_name="event")
    @functions.queue_output(arg_name="reconcile", queue_name=Queue.RECONCILE.value, connection=STORAGE)
    def take_event(event: func.EventGridEvent, reconcile: func.Out[str]) -> None:
        text = image_event.handle(app, event)
        if text:
            reconcile.set(text)


def _on_timer(functions: func.Blueprint, app: App) -> None:
    @functions.function_name("sweep")
    @functions.timer_trigger(arg_name="timer", schedule=app.settings.sweep_schedule, run_on_startup=False)
    def fire(timer: func.TimerRequest) -> None:  # noqa: ARG001  the binding's name
        import_module("handlers.sweep").handle(app)


def _on_message(functions: func.Blueprint, app: App, queue: Queue) -> None:
    """Add the function of a stage; its module and its queue have its name."""

    @functions.function_name(queue.value)
    @functions.queue_trigger(arg_name="message", queue_name=queue.value, connection=STORAGE)
    def take_message(message: func.QueueMessage) -> None:
        take(app, queue, message, import_module(f"handlers.{queue}").handle)


def _on_dead_letter(functions: func.Blueprint, app: App, queue: Queue) -> None:
    """Add the function for one queue's messages that nobody could handle: a function has one trigger."""

    @functions.function_name(f"poison_{queue}")
    @functions.queue_trigger(arg_name="message", queue_name=queue.poison, connection=STORAGE)
    def take_dead_letter(message: func.QueueMessage) -> None:
        import_module("handlers.poison").handle(app, queue, message)


def _on_request(functions: func.Blueprint, app: App, request: _Request) -> None:
    @functions.function_name(request.name)
    @functions.route(request.route, methods=[request.method], auth_level=func.AuthLevel.FUNCTION)
    def answer(req: func.HttpRequest) -> func.HttpResponse:
        given: func.HttpResponse = getattr(import_module(f"handlers.{request.module}"), request.name)(app, req)
        return given
