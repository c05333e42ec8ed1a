"""What is known of the files that are checked: charts, parsed files, environments, images.

It hides what is read and parsed, and that it happens once. Every room of the package asks it; it judges
nothing but in which way the repo is used (`is_catalog`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from collections.abc import Mapping as Lookup
from dataclasses import dataclass, field
from functools import cached_property

from updater.charts import Survey, Target, is_kustomization
from updater.charts.layout import Charts
from updater.check.chart import CHART_FILE, VALUES_FILE, Chart
from updater.check.gotext import defined
from updater.check.nodes import mapping, value
from updater.errors import EditRefused, InvalidConfigRepo
from updater.model import Files
from updater.policy import DEFAULT_RULES, RULES_PATH, Environment, Rules, environments_in, parse_rules
from updater.yamledit import KeyPath, Mapping, YamlText, parse

# The second counts where the first is not there.
FLEET_FILE, _OTHER_FLEET_FILE = "fleet.yaml", "fleet.yml"

_KINDS = frozenset({"GitRepo", "Catalog", "ClusterCatalog", "ProjectCatalog"})
_TELLS = re.compile(rb"\bkind[\"']?:\s*[\"']?(?:GitRepo|Catalog|ClusterCatalog|ProjectCatalog)\b")
_OVERLAY = re.compile(r"values[-_.].+\.ya?ml")


@dataclass(frozen=True, slots=True)
class Around:
    """What a folder holds besides files, and what stands around it.

    `links` are the symbolic links, which are no files, each with where it leads: to a "file", to a "folder",
    or nowhere (""). `above` leads to the folder further up that holds the rules, where that is so.
    """

    links: Lookup[str, str] = field(default_factory=dict)
    above: str = ""


class Ground:
    """The files of one branch, or of a folder, and what is known besides.

    `rules` are those of the default branch where the caller has them; else the files' own are read. `branch`
    and `default_branch` are empty where nobody knows; `catalog` is the name that Rancher knows the repo by.
    """

    def __init__(
        self,
        files: Files,
        *,
        rules: Rules | None = None,
        branch: str = "",
        default_branch: str = "",
        catalog: str = "",
        around: Around | None = None,
    ) -> None:
        self.files = files
        self.branch = branch
        self.default_branch = default_branch
        self.catalog = catalog
        self.around = around or Around()
        self.links = tuple(sorted(self.around.links))
        self.survey = Survey(files)
        self.given = rules
        self._templates: dict[str, str] = {}
        self._texts: dict[str, YamlText | EditRefused] = {}

    def parsed(self, path: str) -> YamlText | EditRefused:
        """Return a file as YAML, or why it is none."""
        if path not in self._texts:
            try:
                self._texts[path] = parse(self.files.read(path))
            except EditRefused as refusal:
                self._texts[path] = refusal
        return self._texts[path]

    def root(self, path: str) -> Mapping | None:
        """Return the first document of a file where that is a mapping."""
        text = self.parsed(path) if path in self.files.paths else None
        return mapping(text.documents[0]) if isinstance(text, YamlText) and text.documents else None

    def has_links(self, folder: str | None) -> bool:
        """Say whether there is a symbolic link in a folder, so that not all of it is known."""
        start = f"{folder}/" if folder else ""
        return folder is not None and any(link.startswith(start) for link in self.links)

    def is_behind_a_link(self, path: str) -> bool:
        """Say whether a path is a symbolic link, or leads through one."""
        return any(f"{path}/".startswith(f"{link}/") for link in self.links)

    @cached_property
    def visible(self) -> tuple[str, ...]:
        """The files outside of hidden folders, in the order of their names."""
        return tuple(sorted(path for path in self.files.paths if "/." not in f"/{path}"))

    @cached_property
    def charts(self) -> tuple[Chart, ...]:
        """Every chart, sub-charts among them."""
        layout = Charts(self.files.paths)
        homes = {
            path.rpartition("/")[0]: path
            for path in self.visible
            if path.rpartition("/")[2].lower() == CHART_FILE.lower()
        }
        owned: dict[str, list[str]] = defaultdict(list)
        for path in self.visible:
            home = _home(path, homes)
            if home is not None:
                owned[home].append(path)
        return tuple(
            Chart(
                folder=folder,
                file=homes[folder],
                paths=tuple(owned[folder]),
                is_sub=layout.is_sub_chart(folder),
                is_old=layout.is_old_version(folder),
            )
            for folder in sorted(homes)
        )

    @cached_property
    def _by_path(self) -> dict[str, Chart]:
        return {path: chart for chart in self.charts for path in chart.paths}

    def chart_of(self, path: str) -> Chart | None:
        """Return the chart that a file belongs to."""
        return self._by_path.get(path)

    def chart_in(self, folder: str | None) -> Chart | None:
        """Return the chart of a folder, None where there is none."""
        return self._by_folder.get(folder)

    @cached_property
    def _by_folder(self) -> dict[str | None, Chart]:
        return {chart.folder: chart for chart in self.charts}

    def chart_under(self, file: str) -> Chart | None:
        """Return the chart that a file of an environment is rendered with, wherever the file lies."""
        for environment in self.environments:
            spot = self.survey.laid_out(environment.scope).get(file)
            if spot is not None and spot.folder is not None:
                return self.chart_in(spot.folder)
        return None

    def is_template(self, path: str) -> bool:
        """Say whether a file is filled in by Helm before anybody reads it as YAML."""
        chart = self.chart_of(path)
        return chart is not None and path in chart.templates

    @cached_property
    def bundles(self) -> tuple[str, ...]:
        """Every fleet.yaml that Fleet reads."""
        found = {path for path in self.visible if path.rpartition("/")[2] == FLEET_FILE}
        for path in self.visible:
            folder, slash, name = path.rpartition("/")
            if name == _OTHER_FLEET_FILE and folder + slash + FLEET_FILE not in found:
                found.add(path)
        return tuple(sorted(found))

    @cached_property
    def manifests(self) -> tuple[tuple[str, Mapping], ...]:
        """Every manifest that tells Rancher or Fleet of a Git repo, with its file."""
        found = []
        for path in self.visible:
            if not path.endswith((".yaml", ".yml")) or not _TELLS.search(self.files.read(path)):
                continue
            text = self.parsed(path) if not self.is_template(path) else None
            for node in text.documents if isinstance(text, YamlText) else ():
                document = mapping(node)
                if document is not None and value(document, "kind") in _KINDS:
                    found.append((path, document))
        return tuple(found)

    @property
    def kustomizations(self) -> tuple[str, ...]:
        """The kustomizations outside of hidden folders."""
        return tuple(filter(is_kustomization, self.visible))

    @cached_property
    def catalogs(self) -> tuple[str, ...]:
        """The names that legacy Rancher knows this repo by, as far as they are told."""
        named = {
            value(one, "metadata", "name") for _, one in self.manifests if value(one, "kind") != "GitRepo"
        }
        return tuple(sorted(filter(None, {self.catalog, *named})))

    def template(self, path: str) -> str:
        """Return a template's text."""
        if path not in self._templates:
            self._templates[path] = self.files.read(path).decode("utf-8", "replace")
        return self._templates[path]

    def named(self, chart: Chart) -> dict[str, str]:
        """Return the named templates that a chart can include, those of its sub-charts among them."""
        start = chart.path("charts/")
        inner = (one for one in self._sub_charts if one.folder.startswith(start))
        names: dict[str, str] = {}
        for one in (*inner, chart):
            for path in one.templates:
                if b"define" in self.files.read(path) or b"block" in self.files.read(path):
                    names.update(defined(self.template(path)))
        return names

    @cached_property
    def _sub_charts(self) -> tuple[Chart, ...]:
        return tuple(chart for chart in self.charts if chart.is_sub)

    @cached_property
    def rules(self) -> Rules:
        """The rules: those given, else the files' own, else the default; broken ones say nothing."""
        if self.given is not None:
            return self.given
        if self.around.above:
            return Rules(environments=())
        if RULES_PATH not in self.files.paths:
            return DEFAULT_RULES
        try:
            return parse_rules(self.files.read(RULES_PATH))
        except InvalidConfigRepo:
            return Rules(environments=())

    @property
    def has_rules(self) -> bool:
        """Say whether somebody wrote rules."""
        return self.rules is not DEFAULT_RULES

    @cached_property
    def unwritten(self) -> tuple[str, ...]:
        """The overlays that nobody writes: without rules, values.yaml gets every tag."""
        if self.has_rules or not self.charts:
            return ()
        taken = self.survey.laid_out(DEFAULT_RULES.environments[0].scope)
        overlays = {
            file
            for one in environments_in(frozenset(self.visible))
            for file in one.files
            if file not in taken
        }
        return tuple(sorted(overlays))

    @cached_property
    def environments(self) -> tuple[Environment, ...]:
        """The environments that live on this branch; all of them where nobody knows the branch."""
        if not self.branch or self.branch not in self.branches:
            return self.rules.environments
        return tuple(one for one in self.rules.environments if self.branch_of(one) in ("", self.branch))

    @cached_property
    def branches(self) -> frozenset[str]:
        """The branches that environments live on, as far as they are known."""
        return frozenset(filter(None, map(self.branch_of, self.rules.environments)))

    def branch_of(self, environment: Environment) -> str:
        """Return the branch an environment lives on, "" where that is the default one and it is not known."""
        return environment.branch or self.default_branch

    @cached_property
    def is_catalog(self) -> bool:
        """Say whether Rancher's catalogs or Apps read the charts' versions; else it is overlays mode.

        Rules: somebody lets versions or version directories rise. Without rules: there are version
        directories, or neither an overlay nor a fleet.yaml.
        """
        if self.has_rules:
            return any(one.chart.directory or one.chart.version != "none" for one in self.environments)
        if any(chart.is_version for chart in self.charts if not chart.is_sub):
            return True
        names = {path.rpartition("/")[2] for chart in self.charts for path in chart.paths}
        return (
            bool(self.charts)
            and not any(map(_OVERLAY.fullmatch, names))
            and not any(map(self.chart_of, self.bundles))
        )

    @cached_property
    def targets(self) -> tuple[tuple[Environment, Target], ...]:
        """Every image place that the updater writes, with its environment."""
        return tuple(
            (environment, target)
            for environment in self.environments
            for target in self.survey.all_targets(environment.scope)
        )

    @cached_property
    def targets_by_file(self) -> dict[str, tuple[Target, ...]]:
        """Every image place by its file, each place once."""
        found: dict[str, dict[tuple[int, KeyPath], Target]] = defaultdict(dict)
        for _, target in self.targets:
            found[target.file].setdefault((target.document, target.path), target)
        return {file: tuple(places.values()) for file, places in found.items()}

    @cached_property
    def _spots(self) -> dict[str, list[str]]:
        """The files of environments by the chart's own values that lie below them, or that they are."""
        found: dict[str, list[str]] = defaultdict(list)
        for environment in self.environments:
            for spot in self.survey.laid_out(environment.scope).values():
                files = found[spot.base or spot.file]
                if spot.file not in files:
                    files.append(spot.file)
        return found

    def managed(self, chart: Chart) -> dict[tuple[str, ...], tuple[Target, ...]]:
        """Return the image places of a chart, its overlays among them, by the keys that lead there."""
        found: dict[tuple[str, ...], list[Target]] = defaultdict(list)
        for file in self._spots.get(chart.path(VALUES_FILE), ()):
            for target in self.targets_by_file.get(file, ()):
                found[tuple(map(str, target.path))].append(target)
        return {keys: tuple(targets) for keys, targets in found.items()}

    def named_after(self, chart: Chart) -> Iterator[tuple[Environment, Target]]:
        """Yield the place whose tag is the chart's, by environment: `image` at the top, else the first."""
        files = self._spots.get(chart.path(VALUES_FILE), ())
        for environment in self.environments:
            spots = self.survey.laid_out(environment.scope)
            own = [target for file in files if file in spots for target in self.targets_by_file.get(file, ())]
            if own:
                yield environment, next((one for one in own if one.path[0] == "image"), own[0])

    def leads(self, target: Target) -> bool:
        """Say whether the rules have Rancher's questions follow an overlay's tags."""
        return any(
            one.chart.questions == "always" and target.file in self.survey.laid_out(one.scope)
            for one in self.environments
        )

    def overlays(self, chart: Chart) -> Iterator[Mapping]:
        """Yield what lies over a chart's own values: files of environments, and what is named like one."""
        own = chart.path(VALUES_FILE)
        for path in dict.fromkeys((*self._spots.get(own, ()), *chart.values_files)):
            root = self.root(path) if path != own else None
            if root is not None:
                yield root

    def written(self, target: Target) -> str:
        """Return the text that stands at an image place: a tag, or a whole reference."""
        text = self.parsed(target.file)
        found = text.find(target.path, target.document, through=True) if isinstance(text, YamlText) else None
        return value(found)


def _home(path: str, homes: Collection[str]) -> str | None:
    folder = path.rpartition("/")[0]
    while folder not in homes:
        if not folder:
            return None
        folder = folder.rpartition("/")[0]
    return folder
