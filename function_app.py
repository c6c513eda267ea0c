"""The app: its settings and its functions. Faulty settings stop it here, all faults at once."""

import os

import azure.functions as func

from handlers import triggers
from handlers.journal import quiet_libraries, warn
from shared import settings
from shared.wiring import App, spare_collector

quiet_libraries()
spare_collector()
_wired = App(settings.load(os.environ))
for _warning in _wired.settings.warnings:
    warn("settings.warning", reason=_warning)

app = func.FunctionApp()
app.register_functions(triggers.blueprint(_wired))
