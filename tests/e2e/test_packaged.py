"""The history from packages under each cloud's own runtime client: the largest archives, and the most pruned."""

from collections.abc import Iterator

import pytest

from adapters.packaging.target import Cloud
from functions.archive.handler import make as make_archive
from functions.commit.handler import make as make_commit
from shared.dead_letters import DeadLetters
from shared.rebuilding import REBUILD_ORDER
from shared.settings import Settings
from shared.stream import DONE, NO_DEADLINE
from tests.builders import delivered, event, packed
from tests.e2e.packaged import PLACES, Place
from tests.e2e.packaged_story import LATE, MATCH, VIEWERS, Story

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("packages"),
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@pytest.fixture
def on_aws() -> Iterator[Place]:
    with PLACES[Cloud.aws]() as place:
        yield place


def test_what_players_send_reaches_the_history_once_and_is_asked_of_it(on_aws: Place) -> None:
    story = Story(on_aws)
    story.report()
    story.report()  # the player has heard no answer
    assert on_aws["archive"].deliver() == 2

    on_aws["commit"].tick()
    assert story.kept() == 2 * len(VIEWERS)
    on_aws["compact"].tick()
    assert story.kept() == len(VIEWERS)

    on_aws["dimensions"].tick()
    (content,) = on_aws.ports.warehouse().query("SELECT content_id FROM dim_content", {})
    assert content == {"content_id": MATCH}
    assert story.ask("preferences", "GET", f"/v1/contents/{MATCH}/also-watched")["viewers"] == len(VIEWERS)


def test_what_came_past_the_horizon_is_counted_by_what_the_history_says(on_aws: Place) -> None:
    story = Story(on_aws)
    late = story.come_late()
    on_aws["commit"].tick()
    on_aws.ports.queue("rebuild").send(REBUILD_ORDER)

    assert on_aws["rebuild"].work() == 1

    assert story.counted(LATE, story.yesterday) == len(late)
    assert DeadLetters(on_aws.ports, Settings()).count() == 0


@pytest.mark.parametrize("cloud", [Cloud.azure, Cloud.gcp])
def test_other_clouds_packages_read_and_write_the_history_too(cloud: Cloud) -> None:
    with PLACES[cloud]() as place:
        story = Story(place)
        watched = [event(event_timestamp=story.now, viewer_id=each, session_id=each) for each in VIEWERS]
        record = delivered(packed(watched), first_appended_at=story.now)
        assert make_archive(place.ports, Settings())([record], NO_DEADLINE) == [DONE]
        make_commit(place.ports, Settings())(NO_DEADLINE)

        place["dimensions"].tick()

        (content,) = place.ports.warehouse().query("SELECT content_id FROM dim_content", {})
        assert content == {"content_id": MATCH}
        assert story.ask("preferences", "GET", f"/v1/contents/{MATCH}/also-watched")["viewers"] == len(VIEWERS)
