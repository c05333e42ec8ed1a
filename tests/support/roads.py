"""The road to an environment in memory: a target branch, source branches, and their merge requests.

Hides Git and the forge behind `plan.Proposals`, as the worker's own reading of them does: what a plan
says is carried out at once, with the real commit messages, and what people do is one call each. Like a
server, it takes a branch only from where the plan saw it, and never lets a person's commit be lost.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from support.files import DictFiles

from updater import wiring
from updater.charts import Survey
from updater.errors import InvalidConfigRepo, TemporaryError
from updater.messages import Messages
from updater.model import Caller, ImageReference, PromotionRequest, Source, UpdateRequest
from updater.plan import Carried, Closed, Draft, Ground, Plan, Proposing, Standing, keep_up, plan
from updater.policy import Rules, parse_rules

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MESSAGES = Messages(wiring.templates(None))

RULES = """\
environments:
  dev:
    files: charts/*/values-dev.yaml
    tags: {pattern: '^develop-(?P<build>[0-9]+)$', order: numeric}
  prod:
    files: charts/*/values-prod.yaml
    tags: {pattern: '^master-(?P<build>[0-9]+)$', order: numeric}
    delivery: merge-request
    promote-from: dev
"""


def image_name(name: str) -> str:
    return name if "/" in name else f"registry.example.com/{name}"


def places(**tags: str) -> str:
    """Return values with one place for each image, given as name=tag."""
    return "".join(
        f"{name}:\n  image:\n    repository: {image_name(name)}\n    tag: {tag}\n"
        for name, tag in tags.items()
    )


def chart(folder: str, prod: str = "", dev: str = "") -> dict[str, str]:
    """Return a chart's files; an environment without values is left out."""
    files = {f"charts/{folder}/Chart.yaml": f"name: {folder}\n"}
    if prod:
        files[f"charts/{folder}/values-prod.yaml"] = prod
    if dev:
        files[f"charts/{folder}/values-dev.yaml"] = dev
    return files


@dataclass(slots=True)
class Branch:
    """A source branch: where it left its target, its files, and its commits (a person's has no message)."""

    base: DictFiles
    files: DictFiles
    commits: list[tuple[str, str]] = field(default_factory=list)
    by: str = ""

    @property
    def head(self) -> str:
        return self.commits[-1][0]

    @property
    def messages(self) -> list[str]:
        return [message for _, message in self.commits if message]

    @property
    def carried(self) -> tuple[Carried, ...]:
        read = (Carried.read(message, NOW, commit) for commit, message in self.commits)
        return tuple(one for one in read if one is not None)

    def is_overtaken(self, main: DictFiles) -> bool:
        """Whether the target has changed a file of this branch since it left."""
        return any(_content(main, path) != _content(self.base, path) for path in self.changed)

    @property
    def changed(self) -> dict[str, bytes | None]:
        """The contents of the files that differ from where it left its target."""
        paths = self.files.paths | self.base.paths
        after = {path: self.files.read(path) if path in self.files.paths else None for path in paths}
        before = {path: self.base.read(path) if path in self.base.paths else None for path in paths}
        return {path: after[path] for path in sorted(paths) if after[path] != before[path]}


class Road:
    """What is on the target branch `main`, on source branches, and open; implements `plan.Proposals`.

    `trouble` is raised by the next look at merge requests; `looked` holds the branches asked for.
    """

    def __init__(self, files: Mapping[str, str], rules: str = RULES) -> None:
        self.rules: Rules = parse_rules(rules.encode())
        self.main = DictFiles(files)
        self.branches: dict[str, Branch] = {}
        self.opened: set[str] = set()
        self.closed: dict[str, list[Closed]] = {}
        self.trouble: TemporaryError | None = None
        self.missing: dict[str, InvalidConfigRepo] = {}
        self.looked: list[str] = []
        self._ended: dict[str, str] = {}
        self._numbers = itertools.count(1)

    # plan.Proposals

    def names(self, environment: str) -> Collection[str]:
        return [name for name in sorted(self.branches) if name.startswith(f"updater/{environment}/")]

    def standing(self, branches: Mapping[str, str]) -> Mapping[str, Standing]:
        if self.trouble is not None:
            raise self.trouble
        self.looked.extend(branches)
        return {branch: self._standing(branch) for branch in branches}

    def _standing(self, name: str) -> Standing:
        closed = tuple(self.closed.get(name, ()))
        branch = self.branches.get(name)
        if branch is None:
            return Standing(branch=name, closed=closed)
        if self._ended.get(name) == branch.head:
            return Standing(branch=name, head=branch.head, closed=closed)
        return Standing(
            branch=name,
            head=branch.head,
            base="base",
            is_live=True,
            is_open=name in self.opened,
            foreign=branch.by,
            carried=branch.carried,
            files=branch.changed,
            is_overtaken=branch.is_overtaken(self.main),
            closed=closed,
            name=f"!{name}" if name in self.opened else name,
        )

    # Who asks, and what is done about it

    def build(self, image: str, digest: str | None = None, **more: object) -> UpdateRequest:
        """Return a request for a build, `name:tag`, as a pipeline sends it."""
        number = next(self._numbers)
        return UpdateRequest(
            id=f"r{number}",
            image=ImageReference.parse(image_name(image), digest),
            caller=more.pop("caller", Caller(name="ci")),  # type: ignore[arg-type]
            received_at=NOW,
            sequence=number,
            source=more.pop("source", Source(author="kim")),  # type: ignore[arg-type]
            **more,  # type: ignore[arg-type]
        )

    def promotion(
        self, *charts: str, origin: str = "dev", to: str = "prod", **more: object
    ) -> PromotionRequest:
        """Return a person's promotion of these charts, or of all."""
        number = next(self._numbers)
        return PromotionRequest(
            id=f"r{number}",
            origin=origin,
            environment=to,
            caller=more.pop("caller", Caller(name="lee")),  # type: ignore[arg-type]
            received_at=NOW,
            charts=charts,
            sequence=number,
            **more,  # type: ignore[arg-type]
        )

    def foresees(self, *asked: str | UpdateRequest | PromotionRequest) -> Plan:
        """Plan requests, given ready made or as `name:tag`, and do nothing."""
        requests = [self.build(one) if isinstance(one, str) else one for one in asked]
        return plan(self.rules, self._grounds(), requests, self)

    def asks(self, *asked: str | UpdateRequest | PromotionRequest) -> Plan:
        """Plan requests and carry out the plan."""
        return self.does(self.foresees(*asked))

    def foresees_keeping_up(self) -> Plan:
        """Plan what open proposals need, and do nothing."""
        return keep_up(self.rules, self._grounds(), self)

    def keeps_up(self) -> Plan:
        """Plan what open proposals need, and carry that out."""
        return self.does(self.foresees_keeping_up())

    def does(self, planned: Plan, *, is_cut_off: bool = False) -> Plan:
        """Carry out a plan; cut off, it pushes and then opens no merge request."""
        before = self.main
        for change in planned.changes:
            self.main = self.main.changed(change.files)
        for one in planned.proposals:
            self._check(one.standing)
            if one.is_news:
                self._write(one, before)
            if not is_cut_off:
                self.opened.add(one.branch)
        for closing in planned.closings:
            self._check(closing.standing)
            self.opened.discard(closing.branch)
            del self.branches[closing.branch]
        return planned

    def _check(self, standing: Standing) -> None:
        branch = self.branches.get(standing.branch)
        assert standing.head == (branch.head if branch else ""), "the branch is not where the plan saw it"
        ended = self._ended.get(standing.branch) == standing.head
        assert branch is None or not branch.by or ended, "a person's commit would be lost"

    def _write(self, proposing: Proposing, base: DictFiles) -> None:
        branch = Branch(base, base)
        for change in proposing.changes:
            branch.files = branch.files.changed(change.files)
            branch.commits.append((f"c{next(self._numbers)}", MESSAGES.commit(change)))
        self.branches[proposing.branch] = branch

    def _grounds(self) -> dict[str, Ground | InvalidConfigRepo]:
        draft = Draft(self.main)
        ground = Ground("main", draft, Survey(draft))
        return {one.name: self.missing.get(one.name, ground) for one in self.rules.environments}

    # What people do

    def pushes(self, files: Mapping[str, str | None]) -> None:
        """Have a person change the target branch."""
        self.main = self.main.changed(files)

    def commits(self, name: str, files: Mapping[str, str | None], by: str = "Kim (0123456789)") -> None:
        """Have a person commit on a source branch, which is made where there is none."""
        branch = self.branches.setdefault(name, Branch(self.main, self.main))
        branch.files = branch.files.changed(files)
        branch.commits.append((f"p{next(self._numbers)}", ""))
        branch.by = by

    def merges(self, name: str) -> bool:
        """Have a person merge an open proposal; false where it is in conflict with its target."""
        branch = self.branches[name]
        for path in branch.changed:
            there = self.main.read(path) if path in self.main.paths else None
            if there != (branch.base.read(path) if path in branch.base.paths else None):
                return False
        self.main = self.main.changed(branch.changed)
        self.opened.discard(name)
        del self.branches[name]
        return True

    def closes(self, name: str, by: str = "kim", *, deletes: bool = False) -> None:
        """Have a person close an open proposal; its branch stays unless it is deleted too."""
        branch = self.branches[name]
        images = tuple(one.image for one in branch.carried)
        said = Closed(by=by, name=f"!{name}", link=f"https://gitlab.example.com/{name}", images=images)
        self.closed.setdefault(name, []).insert(0, said)
        self.opened.discard(name)
        self._ended[name] = branch.head
        if deletes:
            del self.branches[name]

    # Looking

    def file(self, path: str, branch: str = "") -> str:
        """Return a file of the target branch, or of a source branch."""
        return (self.branches[branch].files if branch else self.main).read(path).decode()

    def prod(self, chart: str, branch: str = "") -> str:
        return self.file(f"charts/{chart}/values-prod.yaml", branch)

    def carried(self, branch: str) -> list[str]:
        """Return the tags on a source branch, as `name:tag` in their order."""
        return [str(one.image).removeprefix("registry.example.com/") for one in self.branches[branch].carried]


def kinds(planned: Plan) -> list[str]:
    return [verdict.kind.value for verdict in planned.verdicts]


def codes(planned: Plan) -> list[str]:
    return [verdict.reason.code for verdict in planned.verdicts]


def _content(files: DictFiles, path: str) -> bytes | None:
    return files.read(path) if path in files.paths else None
