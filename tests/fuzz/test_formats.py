"""Whatever a status says, every receiver gets a message."""

import json
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.gallery_json import read_version
from shared.core.errors import Malformed
from shared.core.messages import Notify, Queue, read, write
from shared.core.notice_type import NoticeType
from shared.core.notices import Notice, dead_letter_news, plan_news, prune_news, replicas_news, rollout_news
from shared.core.planner import plan, spread
from shared.core.pruning import Pruning
from shared.core.rollout import Rollout
from shared.formats import cloudevent, slack, teams
from tests.core import strategies
from tests.core.build import HOUR, NOW, policy, version_id
from tests.fuzz.mutations import odd_texts, spoiled_json, tried
from tests.fuzz.samples import VERSION

FORMS = (teams, slack, cloudevent)
_about = strategies.images | strategies.versions_ids
_texts = odd_texts | st.text()


def post(notice):
    """Claim that a notice has a message for every receiver, after its way through the queue."""
    text = write(Notify("1-teams", notice.event(NOW), NOW, NOW + HOUR))
    assert len(text) < 48 * 1024
    for form in FORMS:
        assert json.dumps(form.body(read(Queue.NOTIFY, text).event)).encode()


@given(_about | st.none(), st.sampled_from(NoticeType), st.dictionaries(_texts, _texts, max_size=4))
@tried(40)
def test_any_plain_notice(about, kind, data):
    """A notice about anything, with any further texts under names that no format knows, has a message."""
    post(Notice(kind, about, "", {f"x-{name}": text for name, text in data.items()}))


@given(_about | st.none(), _texts, _texts, _texts)
@tried(40)
def test_dead_letters(about, body, reason, queue):
    """Any dead letter has a message."""
    post(dead_letter_news(queue, body, reason, about, "7"))


@given(strategies.versions_ids, st.lists(_texts, max_size=4), st.dictionaries(_texts, _texts, max_size=4), _texts)
@tried(40)
def test_prunes(version, removed, kept, refused):
    """Any prune has a message, also one that Azure refused with whatever words."""
    pruning = Pruning(NOW, tuple(removed), kept, 10**30, refused=refused)
    post(prune_news(NoticeType.PRUNE_COMPLETED, version, pruning))
    post(prune_news(NoticeType.PRUNE_REFUSED, version, pruning))
    post(replicas_news(version, 10**30, refused))


@given(strategies.definitions(), strategies.policies)
@tried(40)
def test_plans(definition, by):
    """The plan of any image definition has a message."""
    post(plan_news(plan(definition, by, now=NOW)))


@given(spoiled_json([VERSION]), _texts, st.sampled_from(NoticeType), st.timedeltas(timedelta(0), timedelta(days=9999)))
@tried(40)
def test_rollouts_of_odd_versions(text, words, kind, ago):
    """A rollout of any version that can be read has a message, whatever Azure says of its regions."""
    try:
        version = read_version(version_id("1.0.3"), json.loads(text))
    except Malformed:
        return
    begun = NOW - ago
    rollout = Rollout(started=begun, deadline=NOW, cause=words, supersedes=(words,), warnings=(words,))
    lines = spread(version, policy("westeurope eastus2; southeastasia"), NOW)
    details = "".join(str(region.details) for region in version.regions)
    post(rollout_news(kind, version, rollout, lines, NOW, region=words, reason=details))
