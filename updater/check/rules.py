"""The updater's own files: rules that cannot be read or name nothing, holds that stop or protect nothing.

It hides where in those files a fault stands (E17, E18, E24, W12, W15, W16). Called by `inspection`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from updater.check.findings import Finding
from updater.check.ground import Ground
from updater.errors import EditRefused, InvalidConfigRepo
from updater.policy import HOLDS_PATH, RULES_PATH, Environment, Rules, check_places, parse_holds, parse_rules
from updater.yamledit import KeyPath, Loaded, load

# So many revisions of an app does Rancher keep.
_REVISIONS = 10
_PLACE = re.compile(r"^(?P<path>[^:\n]+):(?P<line>[0-9]+):(?P<column>[0-9]+): (?P<problem>.*)$")


def of_repo(ground: Ground) -> Iterator[Finding]:
    """Yield what is wrong with the rules and the holds."""
    if RULES_PATH in ground.files.paths:
        yield from _rules(ground)
    elif ground.given is not None:
        yield from _empty(ground, None)
    if HOLDS_PATH in ground.files.paths:
        yield from _holds(ground)


def _rules(ground: Ground) -> Iterator[Finding]:
    data = ground.files.read(RULES_PATH)
    if ground.branch in ground.branches and ground.default_branch not in ("", ground.branch):
        if not _is_copy(data, ground.given):
            facts = {"branch": ground.branch, "default": ground.default_branch}
            yield Finding(code="W15", file=RULES_PATH, line=1, facts=facts)
        if ground.given is not None:
            yield from _empty(ground, None)
        return
    try:
        parse_rules(data)
    except InvalidConfigRepo as error:
        yield from _complaints("E17", error)
        return
    yield from _empty(ground, _loaded(data))


def _is_copy(data: bytes, rules: Rules | None) -> bool:
    """Say whether rules are the ones that hold, as on a branch that was made from the default one."""
    try:
        return parse_rules(data) == rules
    except InvalidConfigRepo:
        return False


def _empty(ground: Ground, loaded: Loaded | None) -> Iterator[Finding]:
    """Yield environments of this branch that have no files."""
    for environment in ground.environments:
        if environment.chart.directory and environment.chart.keep < _REVISIONS:
            kept: dict[str, object] = {"environment": environment.name, "keep": environment.chart.keep}
            line = _line(loaded, ("environments", environment.name, "chart", "keep"))
            yield Finding(code="W12", file=RULES_PATH, line=line, facts=kept)
        is_known = not environment.branch or ground.branch == environment.branch
        if is_known and not ground.survey.laid_out(environment.scope):
            line = _line(loaded, ("environments", environment.name))
            globs: dict[str, object] = {
                "environment": environment.name,
                "globs": list(environment.scope.files),
            }
            yield Finding(code="E24", file=RULES_PATH, line=line, facts=globs)


def _holds(ground: Ground) -> Iterator[Finding]:
    data = ground.files.read(HOLDS_PATH)
    here = {one.name: one for one in ground.environments}
    try:
        check_places(data, list(here), ground.branch or "that is checked")
        holds = parse_holds(data)
    except InvalidConfigRepo as error:
        yield from _complaints("E18", error)
        return
    loaded = _loaded(data)
    for index, hold in enumerate(holds):
        if not _has_chart(ground, here[hold.environment], hold.chart):
            facts = {"chart": hold.chart, "environment": hold.environment}
            line = _line(loaded, ("holds", index, "chart"))
            yield Finding(code="W16", file=HOLDS_PATH, line=line, facts=facts)


def _has_chart(ground: Ground, environment: Environment, chart: str) -> bool:
    return any(spot.chart == chart for spot in ground.survey.laid_out(environment.scope).values())


def _complaints(code: str, error: InvalidConfigRepo) -> Iterator[Finding]:
    """Yield one finding for each line of an error's text, at its own place."""
    for text in str(error).splitlines():
        found = _PLACE.match(text)
        problem = found["problem"] if found else text.removeprefix(f"{error.path}: ")
        line = int(found["line"]) if found else error.line
        yield Finding(code=code, file=error.path, line=line, facts={"problem": problem})


def _loaded(data: bytes) -> Loaded | None:
    try:
        return load(data)
    except EditRefused:
        return None


def _line(loaded: Loaded | None, path: KeyPath) -> int:
    if loaded is None:
        return 0
    line, _ = loaded.keys.get(path) or loaded.positions.get(path) or (0, 0)
    return line
