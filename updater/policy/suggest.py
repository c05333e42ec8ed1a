"""A first rules file for a config repo, as `updater init` writes it.

The text is meant to be read and changed by a person, so it says what was found and what was not. It
never writes anything itself, and promises nothing that the rules cannot do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from updater.globs import compile_glob
from updater.policy.habits import Habit, habit_of
from updater.policy.layout import Found, environments_in, manifest_globs, values_globs
from updater.policy.ruletext import place_lines, quoted, shown
from updater.policy.tags import Tags
from updater.policy.values import DEFAULT_ENVIRONMENT

# Enough to see a habit; reading every file of a large repo would show nothing more.
MAX_FILES_READ = 200
# Odd tags named one by one, in the order of the files.
MAX_ODD = 5

_HEADER = (
    "# The rules of this config repo: where image tags are written, and which tags go there.",
    "# Written by `updater init` from the files and tags found here. Read it, change what is wrong, and",
    "# commit it to the default branch; on other branches it has no effect.",
    "#",
    "# Whatever an environment takes is committed straight to its branch (delivery: commit). An image sent",
    "# without an environment goes to every environment whose pattern takes its tag.",
)


def suggest_rules(
    paths: frozenset[str],
    tags_in: Callable[[str], Sequence[str]],
    manifests: frozenset[str] = frozenset(),
) -> str:
    """Return the text of a rules file for a config repo that holds the files `paths`.

    `tags_in` returns the image tags that stand in one file; it is asked for at most `MAX_FILES_READ`
    files of each environment. `manifests` are the files of `manifest_candidates` that hold images.
    `parse_rules` reads the result.
    """
    found = environments_in(paths, manifests) or (_default(paths, manifests),)
    standing = {one.name: _standing_tags(one.files, tags_in) for one in found}
    habits = {name: habit_of([tag for tag, _ in tags]) for name, tags in standing.items()}
    builds = {
        name: {tag for tag, _ in tags if tag not in habits[name].odd} for name, tags in standing.items()
    }
    lines = [*_HEADER, "", "environments:"]
    for one in found:
        habit = habits[one.name]
        tags = Tags(habit.pattern or None, habit.order or "numeric")
        shared = [name for name, some in builds.items() if name != one.name and any(map(tags.takes, some))]
        odd = [f"{tag} ({shown(file)})" for tag, file in standing[one.name] if tag in habit.odd]
        lines += [
            *place_lines(one.name, "", one.globs, one.base),
            *_tag_lines(habit, odd, shared),
            "    delivery: commit",
        ]
    return "\n".join([*lines, ""])


def _default(paths: frozenset[str], manifests: frozenset[str]) -> Found:
    globs = values_globs(paths)
    files = [path for path in sorted(paths) if path.rpartition("/")[2] == "values.yaml"]
    if not any(path.rpartition("/")[2] == "Chart.yaml" for path in paths):
        globs, files = manifest_globs(manifests), sorted(manifests)
    patterns = [compile_glob(glob) for glob in globs]
    if patterns:
        files = [path for path in files if any(pattern.match(path) for pattern in patterns)]
    return Found(name=DEFAULT_ENVIRONMENT, globs=globs, base="", files=tuple(files))


def _standing_tags(
    files: Sequence[str], tags_in: Callable[[str], Sequence[str]]
) -> tuple[tuple[str, str], ...]:
    """Return the tags that stand in files, each with its file."""
    step = max(1, -(-len(files) // MAX_FILES_READ))
    return tuple((tag, file) for file in files[::step] for tag in tags_in(file))


def _tag_lines(habit: Habit, odd: Sequence[str], shared: Sequence[str]) -> Iterator[str]:
    if habit.pattern:
        yield f"    tags: # {habit.reason}"
        yield f"      pattern: {quoted(habit.pattern)}"
        yield f"      order: {habit.order}"
    else:
        yield f"    # No pattern, so any tag is taken: {habit.reason}."
        yield from _advice(habit.example)
    if odd:
        more = f" and {len(odd) - MAX_ODD} more" if len(odd) > MAX_ODD else ""
        yield f"    # standing here, too, and not taken: {', '.join(odd[:MAX_ODD])}{more}"
    if shared:
        yield f"    # Mind: it also takes the tags that stand in {', '.join(shared)}."


def _advice(example: Habit | None) -> Iterator[str]:
    """Say how a pattern is written, by a tag that stands here where one of them teaches any."""
    if example is None:
        yield "    # If your builds have a form of their own, say so: tags, with a pattern and an order."
        return
    yield f"    # If your builds have a form of their own, say so, for example ({example.reason}):"
    yield f"    # tags: {{pattern: {quoted(example.pattern)}, order: {example.order}}}"
