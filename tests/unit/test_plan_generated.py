"""Any order of builds and of what people do: what always holds of the proposals of one environment.

A model of the repo in memory: two charts that share one image, one of which has a second one. After
every step the proposals are held against what people see: the target branch and what was closed.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.roads import MESSAGES, NOW, Road, chart, places

from updater.model import OutcomeKind
from updater.plan import Carried, Plan

PLACES = {"iris": ("web", "proxy"), "rose": ("web",)}
BUILDS = st.integers(1, 6)
IMAGES = st.sampled_from(["web", "proxy"])
CHARTS = st.sampled_from(sorted(PLACES))


def branch(chart_name: str) -> str:
    return f"updater/prod/{chart_name}"


def build_of(tag: str) -> int:
    return int(tag.rpartition("-")[2])


class Proposing(RuleBasedStateMachine):
    """Steps of pipelines, people and the updater, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.road = Road({})
        # Every proposal's builds by chart and image, as they were before the step.
        self.before: dict[tuple[str, str], int] = {}
        self.closed: dict[tuple[str, str], int] = {}
        self.extra = 0

    @initialize(builds=st.tuples(BUILDS, BUILDS, BUILDS))
    def start(self, builds: tuple[int, int, int]) -> None:
        web, proxy, rose = (f"master-{build}" for build in builds)
        self.road = Road({**chart("iris", places(web=web, proxy=proxy)), **chart("rose", places(web=rose))})

    # Steps

    @rule(asked=st.lists(st.tuples(IMAGES, BUILDS), min_size=1, max_size=4))
    def builds_come(self, asked: list[tuple[str, int]]) -> None:
        held = {name for name in PLACES if self.is_foreign(name)}
        planned = self.road.asks(*(f"{image}:master-{build}" for image, build in asked))
        self.check(planned, held)
        self.check_verdicts(planned)

    @rule(asked=st.tuples(IMAGES, BUILDS))
    def a_kill_comes_between_push_and_merge_request(self, asked: tuple[str, int]) -> None:
        held = {name for name in PLACES if self.is_foreign(name)}
        planned = self.road.foresees(f"{asked[0]}:master-{asked[1]}")
        self.check(self.road.does(planned, is_cut_off=True), held)

    @rule()
    def the_updater_looks(self) -> None:
        held = {name for name in PLACES if self.is_foreign(name)}
        self.check(self.road.keeps_up(), held)
        for name in PLACES:
            if self.is_live(name) and not self.is_foreign(name):
                self.check_content(name)
        assert all(not one.is_news for one in self.road.foresees_keeping_up().proposals)

    @rule(name=CHARTS, image=IMAGES, build=BUILDS)
    def a_person_sets_a_tag(self, name: str, image: str, build: int) -> None:
        tags = self.standing(name)
        if image in tags:
            self.write(name, {**tags, image: build})

    @rule(name=CHARTS)
    def a_person_edits_the_file(self, name: str) -> None:
        self.extra += 1
        self.write(name, self.standing(name))

    @rule(name=CHARTS)
    def a_person_merges(self, name: str) -> None:
        if branch(name) in self.road.opened and not self.is_foreign(name):
            proposed = self.proposed(name)
            if self.road.merges(branch(name)):
                assert self.standing(name).items() >= proposed.items()
                self.forget(name)

    @rule(name=CHARTS, deletes=st.booleans())
    def a_person_closes(self, name: str, deletes: bool) -> None:
        if branch(name) in self.road.opened:
            for image, build in self.proposed(name).items():
                self.closed[name, image] = max(build, self.closed.get((name, image), 0))
            self.road.closes(branch(name), deletes=deletes)
            self.forget(name)

    @rule(name=CHARTS)
    @precondition(lambda self: self.road.opened)
    def a_person_commits_on_a_source_branch(self, name: str) -> None:
        if branch(name) in self.road.opened:
            self.road.commits(branch(name), {f"charts/{name}/notes.md": "mine\n"})

    @rule(name=CHARTS)
    def a_person_deletes_a_source_branch(self, name: str) -> None:
        if branch(name) in self.road.branches:
            del self.road.branches[branch(name)]
            self.road.opened.discard(branch(name))
            self.forget(name)

    # What holds after a plan

    def check(self, planned: Plan, held: set[str]) -> None:
        touched = {one.branch for one in planned.proposals} | {one.branch for one in planned.closings}
        assert touched.isdisjoint(branch(name) for name in held)
        assert len(touched) == len(planned.proposals) + len(planned.closings)
        for proposing in planned.proposals:
            name = proposing.branch.rpartition("/")[2]
            self.check_content(name)
            for image, build in self.proposed(name).items():
                assert build > self.standing(name)[image]
                assert build >= self.before.get((name, image), 0)
        for closing in planned.closings:
            self.forget(closing.branch.rpartition("/")[2])
        for proposing in planned.proposals:
            for change, carried in zip(
                proposing.changes, self.road.branches[proposing.branch].carried, strict=True
            ):
                wanted = [(one.id, one.source, one.promoted) for one in change.requests]
                assert (change.image, change.charts, change.replaced) == (
                    carried.image,
                    carried.charts,
                    carried.replaced,
                )
                assert [(one.id, one.source, one.promoted) for one in carried.requests] == wanted
                again = Carried.read(MESSAGES.commit(replace(change, requests=carried.requests)), NOW)
                previous = tuple(tag or "none" for tag in change.previous)
                assert again == replace(carried, commit="", previous=previous)

    def check_verdicts(self, planned: Plan) -> None:
        proposed = {one.branch for one in planned.proposals}
        for verdict in planned.verdicts:
            asked = build_of(verdict.request.image.tag)  # type: ignore[union-attr]
            assert set(verdict.branches) <= proposed
            match verdict.kind:
                case OutcomeKind.PROPOSED:
                    assert verdict.branches
                case OutcomeKind.SUPERSEDED:
                    assert build_of(verdict.superseded_by) > asked
                case OutcomeKind.UNCHANGED:
                    assert not verdict.branches
                case kind:
                    assert kind in (OutcomeKind.HELD, OutcomeKind.REFUSED)

    def check_content(self, name: str) -> None:
        """Hold a proposal's files against its tags written into the target by hand."""
        wanted = {**self.standing(name), **self.proposed(name)}
        files = {f"charts/{name}/values-prod.yaml": self.text(name, wanted)}
        source = self.road.branches[branch(name)]
        on_target = self.road.main.changed(files)
        for path, content in source.changed.items():
            assert content == on_target.read(path)
        assert set(source.changed) == set(files)

    @invariant()
    def no_image_of_a_chart_is_proposed_twice_and_none_that_was_closed(self) -> None:
        for name in PLACES:
            if not self.is_live(name):
                continue
            carried = self.road.branches[branch(name)].carried
            assert [one.charts for one in carried] == [(name,)] * len(carried)
            assert len({one.image.repository for one in carried}) == len(carried)
            for image, build in self.proposed(name).items():
                assert build > self.closed.get((name, image), 0)
        self.before = {
            (name, image): build
            for name in PLACES
            if self.is_live(name)
            for image, build in self.proposed(name).items()
        }

    # Looking

    def is_live(self, name: str) -> bool:
        return self.road.standing({branch(name): "main"})[branch(name)].is_live

    def is_foreign(self, name: str) -> bool:
        return bool(self.road.standing({branch(name): "main"})[branch(name)].foreign)

    def proposed(self, name: str) -> dict[str, int]:
        carried = self.road.branches[branch(name)].carried
        return {one.image.repository.rpartition("/")[2]: build_of(one.image.tag) for one in carried}

    def standing(self, name: str) -> dict[str, int]:
        tags = [line.split()[1] for line in self.road.prod(name).splitlines() if "tag:" in line]
        return {image: build_of(tag) for image, tag in zip(PLACES[name], tags, strict=True)}

    def text(self, name: str, builds: dict[str, int]) -> str:
        head, _, _ = self.road.prod(name).partition("web:")
        return head + places(**{image: f"master-{build}" for image, build in builds.items()})

    def write(self, name: str, builds: dict[str, int]) -> None:
        body = places(**{image: f"master-{build}" for image, build in builds.items()})
        self.road.pushes({f"charts/{name}/values-prod.yaml": f"extra: {self.extra}\n{body}"})

    def forget(self, name: str) -> None:
        self.before = {key: build for key, build in self.before.items() if key[0] != name}


Proposing.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestProposals = Proposing.TestCase
