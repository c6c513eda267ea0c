"""Now and then, ask for a pass over every image definition: what events missed is found here."""

import azure.functions as func

from handlers.journal import note, warn
from shared.core.errors import Absent
from shared.core.messages import Reconcile
from shared.core.names import GalleryId
from shared.wiring import App


def blueprint(app: App) -> func.Blueprint:
    """Give the functions of this stage."""
    stage = func.Blueprint()

    @stage.function_name("sweep")
    @stage.timer_trigger(arg_name="timer", schedule=app.settings.sweep_schedule, run_on_startup=False)
    def sweep(timer: func.TimerRequest) -> None:  # noqa: ARG001  the binding's name
        _sweep(app)

    return stage


def _sweep(app: App) -> None:
    """Sweep gallery by gallery; one that cannot be listed does not hold up the others, and fails the run at its end."""
    faults = [fault for gallery in app.settings.galleries if (fault := _sweep_gallery(app, gallery))]
    if faults:
        raise ExceptionGroup("not every gallery could be swept", faults)


def _sweep_gallery(app: App, gallery: GalleryId) -> Exception | None:
    try:
        images = app.gallery.images(gallery)
    except Absent:
        warn("sweep.absent", gallery=gallery)
        return None
    except Exception as fault:  # noqa: BLE001  whatever it is, the other galleries are swept, and it is raised after
        return fault
    for image in images:
        app.queues.put(Reconcile(image, "sweep"))
    note("sweep.asked", gallery=gallery, definitions=len(images))
    return None
