"""Now and then, ask for a pass over every image definition: what events missed is found here.

It also tells what no pass can see: where image definitions together come near Azure's limit of versions.
"""

from collections.abc import Sequence

from handlers.announcing import announce_once
from handlers.journal import note, warn
from handlers.recording import record_sweep, recorded
from shared.core.errors import Absent, Retry
from shared.core.messages import Reconcile
from shared.core.names import GalleryId, ImageId
from shared.core.status import DefinitionStatus, SweptGallery, crowds
from shared.core.text import plain
from shared.wiring import App


def handle(app: App) -> None:
    """Sweep gallery by gallery; one that cannot be listed does not hold up the others, and fails the run at its end."""
    faults: list[Exception] = []
    known = {gallery: recorded(app, gallery) for gallery in app.settings.galleries}
    swept = [_sweep_gallery(app, gallery, statuses, faults) for gallery, statuses in known.items()]
    record_sweep(app, swept)
    _tell_of_crowds(app, [status for statuses in known.values() for status in statuses])
    if faults:
        raise ExceptionGroup("not every gallery could be swept", faults)


def _sweep_gallery(
    app: App, gallery: GalleryId, known: Sequence[DefinitionStatus], faults: list[Exception]
) -> SweptGallery:
    """Ask for a pass over every image definition that is listed, and over those recorded ones that are not.

    Such a one may be gone, which its pass finds out; or the list could not be had, and its pass can wait for Azure.
    """
    images, trouble = _listed(app, gallery, faults)
    for image in images:
        app.queues.put(Reconcile(image, "sweep"))
    for image in sorted({status.image for status in known} - set(images), key=str):
        app.queues.put(Reconcile(image, trouble or "it is not listed any more"))
    note("sweep.asked", gallery=gallery, definitions=len(images), known=len(known), trouble=trouble)
    return SweptGallery(str(gallery), len(images), trouble)


def _tell_of_crowds(app: App, statuses: Sequence[DefinitionStatus]) -> None:
    """Tell, once, where image definitions together come near Azure's limit of versions, by what passes recorded.

    Trouble with that fails no sweep: the next one counts again.
    """
    try:
        for crowd in crowds(statuses):
            announce_once(app, crowd.fullest, crowd.news, app.rollouts.memory(crowd.fullest))
    except Exception as fault:  # noqa: BLE001  whatever it is, everything was asked for
        warn("sweep.not-counted", reason=type(fault).__name__)


def _listed(app: App, gallery: GalleryId, faults: list[Exception]) -> tuple[list[ImageId], str]:
    try:
        return app.gallery.images(gallery), ""
    except Absent:
        warn("sweep.absent", gallery=gallery)
        return [], "there is no such gallery"
    except Retry as retry:
        warn("sweep.not-now", gallery=gallery, reason=retry)
        return [], str(retry)
    except Exception as fault:  # noqa: BLE001  whatever it is, the other galleries are swept, and it is raised after
        faults.append(fault)
        return [], plain(fault) or type(fault).__name__
