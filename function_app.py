"""The app: one blueprint per stage, in the order of the flow. Faulty settings stop it here, all faults at once."""

import os

import azure.functions as func

from handlers import (
    asking,
    dashboard,
    image_event,
    notify,
    planning,
    poison,
    prune,
    reconcile,
    replicate,
    sweep,
    watch,
)
from handlers.journal import quiet_libraries, warn
from shared import settings
from shared.wiring import App, spare_collector

quiet_libraries()
spare_collector()
_wired = App(settings.load(os.environ))
for _warning in _wired.settings.warnings:
    warn("settings.warning", reason=_warning)

app = func.FunctionApp()
app.register_functions(image_event.blueprint(_wired))
app.register_functions(sweep.blueprint(_wired))
app.register_functions(reconcile.blueprint(_wired))
app.register_functions(replicate.blueprint(_wired))
app.register_functions(watch.blueprint(_wired))
app.register_functions(prune.blueprint(_wired))
app.register_functions(notify.blueprint(_wired))
app.register_functions(poison.blueprint(_wired))
app.register_functions(dashboard.blueprint(_wired))
app.register_functions(asking.blueprint(_wired))
app.register_functions(planning.blueprint(_wired))
