"""Rules about where everything is in the end."""

import re
from typing import Final

from local.gallery_rules import unsettled
from local.shown import targets
from local.soak.evidence import Evidence
from local.soak.rules.verdict import Verdict

_KILLED: Final = re.compile(r"message \S+ goes to \S+-poison: it has been tried too often")


def complete(evidence: Evidence) -> Verdict:
    """Bring kept versions to every region of the policy, and older ones home."""
    broken, count = [], 0
    for image, seen in evidence.seen.items():
        excused = evidence.excused.get(image.lower(), set())
        broken += [f"{_name(image)} {fault}" for fault in unsettled(seen, excused)]
        count += len(seen.versions)
    refused = sum(map(len, evidence.excused.values()))
    words = "no region is lost: replicationStatus shows kept versions Completed in every region, older ones at home"
    return Verdict(4, words, f"{count} versions, {refused} places that Azure refused", broken)


def people_stay(evidence: Evidence) -> Verdict:
    """Find what people added on each version that is kept, unless the policy is exclusive."""
    broken, count = [], 0
    for image, seen in evidence.seen.items():
        for number in seen.kept() if not seen.exclusive else ():
            added = evidence.added.get(f"{image}/versions/{number}", set())
            gone = added - targets(seen.versions[number]).keys()
            broken += [f"{_name(image)} {number} has lost {region}, which somebody added" for region in gone]
            count += len(added)
    return Verdict(6, "what people add while the app decides stays on kept versions", f"{count} regions", broken)


def swept_again(evidence: Evidence) -> Verdict:
    """Do nothing in a pass over a converged gallery: no event is a fact."""
    broken = evidence.aftermath.swept if evidence.aftermath else ["there was no last sweep"]
    words = "events that were lost, doubled or late changed nothing: a last sweep writes nothing and says nothing"
    return Verdict(1, words, f"{len(evidence.seen)} definitions", broken)


def nothing_left(evidence: Evidence) -> Verdict:
    """Leave all queues empty, and poison nothing but what died with its host each time that it was tried."""
    if evidence.aftermath is None:
        return Verdict(0, "no message is left", "no queue", ["nobody looked"])
    letters = evidence.aftermath.dead_letters
    killed = min(len(letters), len(_KILLED.findall(evidence.log)))
    left = [f"{number} messages in {queue}" for queue, number in evidence.aftermath.queued.items()]
    left += [f"dead letter: {each}" for each in letters[killed:]]
    words = "every message was dealt with: queues are empty, nothing was poisoned but what was killed five times"
    return Verdict(0, words, f"all queues, the table; {killed} were killed five times", left, letters[:killed])


def secrets(evidence: Evidence) -> Verdict:
    """Show a webhook's URL in no log, queue or row."""
    broken = evidence.aftermath.secrets if evidence.aftermath else ["nobody looked"]
    return Verdict(9, "the secret of a webhook is in no log, message or row", "logs, queues, table", broken)


def _name(image: str) -> str:
    return image.rpartition("/")[2]
