"""Any order of what the updater and people do: what always holds of the history that is read of it.

A model of one branch in memory: two charts with an image of their own and one that they share. Every
commit of the line is held against the tags that stood before it and after.
"""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.historylog import DEV, Story, chart, repository, trailers_of

from updater.history import History

PLACES = (("iris", "iris"), ("iris", "web"), ("rose", "rose"), ("rose", "web"))
BUILDS = st.integers(1, 6)
CHANGES = st.dictionaries(st.sampled_from(PLACES), BUILDS, min_size=1, max_size=3)
Tags = Mapping[tuple[str, str], int]


def files(tags: Tags) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in ("iris", "rose"):
        here = {
            image: f"develop-{build}" for (chart_name, image), build in tags.items() if chart_name == name
        }
        found.update(chart(name, **here))
    return found


def wish(tags: Tags, image: str, build: int) -> tuple[Tags, str]:
    """Return the tags after the updater set an image everywhere, and its trailers ("": nothing moves)."""
    moving = [place for place in PLACES if place[1] == image and tags[place] != build]
    olds = dict.fromkeys(f"develop-{tags[place]}" for place in moving)
    charts = [place[0] for place in moving]
    trailers = trailers_of(image, f"develop-{build}", charts, list(olds), Request="r") if moving else ""
    return {**tags, **dict.fromkeys(moving, build)}, trailers


class Branch(RuleBasedStateMachine):
    """Steps of people and the updater on the line of one branch, and beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        # The tags at every commit of any branch, and the line's commits with those before each.
        self.tags: dict[str, Tags] = {}
        self.line: list[tuple[str, Tags]] = []
        # What was read at once of the tip it stands for.
        self.read: tuple[str, History] | None = None

    @initialize(builds=st.tuples(BUILDS, BUILDS, BUILDS, BUILDS))
    def start(self, builds: tuple[int, int, int, int]) -> None:
        tags = dict(zip(PLACES, builds, strict=True))
        self.land(self.story.person(files(tags), "Start"), {}, tags)

    def land(self, commit: str, before: Tags, after: Tags) -> None:
        self.tags[commit] = after
        self.line.append((commit, before))

    @property
    def standing(self) -> Tags:
        return self.tags[self.story.tip]

    # Steps on the line

    @rule(image=st.sampled_from(["iris", "rose", "web"]), build=BUILDS)
    def the_updater_commits(self, image: str, build: int) -> None:
        before = self.standing
        after, trailers = wish(before, image, build)
        if trailers:
            self.land(self.story.bot(files(after), trailers), before, after)

    @rule(changes=CHANGES)
    def a_person_commits(self, changes: Tags) -> None:
        before = self.standing
        after = {**before, **changes}
        self.land(self.story.person(files(after)), before, after)

    @rule(number=st.integers(0, 30))
    def a_person_reverts(self, number: int) -> None:
        commit, old = self.line[number % len(self.line)]
        moved = {place for place in old if old[place] != self.tags[commit][place]}
        before = self.standing
        after = {**before, **{place: old[place] for place in moved}}
        self.land(self.story.revert(commit, files(after)), before, after)

    @rule()
    def a_person_changes_something_else(self) -> None:
        before = self.standing
        self.land(self.story.person({"README.md": str(len(self.line))}), before, before)

    # Steps beside the line

    @rule(
        back=st.integers(0, 3),
        builds=st.lists(BUILDS, min_size=1, max_size=3),
        image=st.sampled_from(["iris", "rose", "web"]),
        by_hand=st.none() | CHANGES,
        is_own=st.booleans(),
    )
    def a_branch_is_merged(
        self, back: int, builds: list[int], image: str, by_hand: Tags | None, is_own: bool
    ) -> None:
        base = self.line[-1 - min(back, len(self.line) - 1)][0]
        head, tags, said = base, self.tags[base], []
        for build in builds:
            tags, trailers = wish(tags, image, build)
            if trailers:
                head = self.story.log.add([head], files(tags), f"Propose\n\n{trailers}", own=True)
                said.append(trailers)
        if by_hand:
            tags = {**tags, **by_hand}
            head = self.story.log.add([head], files(tags), "Help")
        if head == base:
            return
        before = self.standing
        # Where both sides moved a tag, whoever merges takes the branch's.
        after = {
            **before,
            **{place: tags[place] for place in PLACES if tags[place] != self.tags[base][place]},
        }
        is_clean = base == self.story.tip and not by_hand
        message = (
            "Merge dev/x: y\n\n" + said[-1] if is_own and is_clean and len(said) == 1 else "Merge branch 'x'"
        )
        self.land(self.story.merge(head, files(after), message, own=is_own), before, after)

    # How it is followed

    @rule()
    def somebody_looks(self) -> None:
        self.story.told()

    @rule()
    def it_is_kept_and_restored(self) -> None:
        self.story.told()
        restored = History(self.story.log)
        restored.restore(self.story.history.packed(), self.story.environments)
        assert restored.is_empty == self.story.history.is_empty
        self.story.history = restored

    @precondition(lambda self: len(self.line) > 2)
    @rule(count=st.integers(1, 3))
    def the_branch_is_forced_back(self, count: int) -> None:
        self.line = self.line[: max(1, len(self.line) - count)]
        self.story.tip = self.line[-1][0]

    # What always holds

    @invariant()
    def every_moved_tag_is_told_once(self) -> None:
        told = [
            (one.commit, move.chart, one.repository, move.old, one.tag)
            for one in self.anew().deployments()
            for move in one.moves
        ]
        moved = [
            (commit, place[0], repository(place[1]), f"develop-{before[place]}" if before else None, tag)
            for commit, before in self.line
            for place in PLACES
            if (tag := f"develop-{self.tags[commit][place]}")
            and (not before or before[place] != self.tags[commit][place])
        ]
        assert sorted(map(str, told)) == sorted(map(str, moved))

    @invariant()
    def the_last_deployment_made_the_tag_that_stands(self) -> None:
        history = self.anew()
        for name, image in PLACES:
            last = history.last("dev", name, repository(image))
            assert last is not None
            assert last.tag == f"develop-{self.standing[name, image]}"

    @invariant()
    def what_holds_a_build_is_older_than_it(self) -> None:
        for hold in self.anew().held_all():
            image = hold.repository.rpartition("/")[2]
            standing = f"develop-{self.standing[hold.chart, image]}"
            assert DEV.tags.compare(standing, hold.build) == -1

    def anew(self) -> History:
        if self.read is None or self.read[0] != self.story.tip:
            history = History(self.story.log)
            history.follow(self.story.tip, self.story.environments)
            self.read = (self.story.tip, history)
        return self.read[1]

    def teardown(self) -> None:
        """Whatever was followed in steps knows the same as what is read at once."""
        if not self.line:
            return
        stepwise, anew = self.story.told(), self.anew()
        assert stepwise == list(anew.deployments())[::-1]
        assert self.story.history.held_all() == anew.held_all()


TestAnyBranch = Branch.TestCase
TestAnyBranch.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
