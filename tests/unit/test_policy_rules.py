# ruff: noqa: E501 (a table row is one line, however long its message)
import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import InvalidConfigRepo
from updater.model import PinnedPlace, Scope
from updater.policy import DEFAULT_RULES, RULES_PATH, Environment, Tags, parse_rules
from updater.policy.complaints import MAX_COMPLAINTS
from updater.policy.grammar import branch_problem

EVERYTHING = b"""\
environments:
  dev:
    branch: develop
    files: charts/*/values-dev.yaml
    exclude: [charts/old-*/**, charts/web/values-dev.yaml]
    base: charts/{chart}/values.yaml
    tags: {pattern: '^develop-(?P<build>[0-9]+)$', order: numeric}
    delivery: commit
    digest: clear
  prod:
    files: [charts/*/values-prod.yaml, legacy/*.yaml]
    tags:
      order: semver
images:
  - {repository: registry.example.com/legacy, file: legacy/a.yaml, path: app.version}
  - {repository: nginx, file: charts/iris/values-dev.yaml, path: [image.1, 0, tag]}
  - {repository: nginx, file: charts/web/values-prod.yaml, path: '["app.1", 0, "tag"]'}
"""


def test_every_key_of_the_file_reaches_the_environment_it_stands_in() -> None:
    dev, prod = parse_rules(EVERYTHING).environments
    assert dev == Environment(
        name="dev",
        branch="develop",
        scope=Scope(
            files=("charts/*/values-dev.yaml",),
            exclude=("charts/old-*/**", "charts/web/values-dev.yaml"),
            base="charts/{chart}/values.yaml",
            pinned=(
                PinnedPlace("docker.io/library/nginx", "charts/iris/values-dev.yaml", ("image.1", 0, "tag")),
            ),
        ),
        tags=Tags("^develop-(?P<build>[0-9]+)$", "numeric"),
        delivery="commit",
        digest="clear",
    )
    assert prod == Environment(
        name="prod",
        scope=Scope(
            files=("charts/*/values-prod.yaml", "legacy/*.yaml"),
            pinned=(
                PinnedPlace("registry.example.com/legacy", "legacy/a.yaml", ("app", "version")),
                PinnedPlace("docker.io/library/nginx", "charts/web/values-prod.yaml", ("app.1", 0, "tag")),
            ),
        ),
        tags=Tags(None, "semver"),
    )


def test_an_environment_without_keys_is_the_default_under_its_own_name() -> None:
    rules = parse_rules(b"environments: {dev: {}}")
    (default,) = DEFAULT_RULES.environments
    assert rules.environments == (Environment(name="dev"),)
    assert (default.scope, default.tags) == (rules.environments[0].scope, rules.environments[0].tags)
    assert (default.name, default.branch, default.delivery, default.digest) == (
        "default",
        None,
        "commit",
        "refuse",
    )


def test_an_image_may_be_named_in_a_values_file_of_an_environment_without_files() -> None:
    rules = parse_rules(
        b"environments: {dev: {exclude: old/**}}\n"
        b"images: [{repository: a/b, file: charts/iris/values.yaml, path: app.version}]"
    )
    assert [place.file for place in rules.environments[0].scope.pinned] == ["charts/iris/values.yaml"]


@pytest.mark.parametrize("name", ["dev", "prod-eu", "1", "a.b_c", "x" * 63])
def test_an_environment_may_be_called(name: str) -> None:
    assert parse_rules(f"environments: {{'{name}': {{}}}}".encode()).environments[0].name == name


DEV = "environments:\n  dev:\n"
IMAGE = DEV + "    files: a/*.yaml\nimages:\n"


@pytest.mark.parametrize(
    ("text", "line", "column", "sentence"),
    [
        # nothing there
        ("", 1, 1, "The file is empty: name at least one environment"),
        ("# nothing\n", 1, 1, "The file is empty"),
        ("environments: {}\n", 1, 15, "environments: No environment is named: name at least one"),
        ("environments:\n", 1, 14, "environments: There is nothing where a mapping should stand"),
        ("images: []\n", 1, 1, "The key environments is missing: write it."),
        ("environments:\n  dev:\n  prod: {}\n", 2, 7, "environments.dev: There is nothing where a mapping"),
        # no YAML, or YAML that hides what it says
        ("- dev\n", 1, 1, "There is a list where a mapping should stand"),
        ("dev\n", 1, 1, "There is text where a mapping should stand"),
        (DEV + "    files: [\n", 4, 1, "This is not YAML"),
        ("environments:\n\tdev: {}\n", 2, 1, "This is not YAML"),
        (DEV + "    files: **/values.yaml\n", 3, 13, "A glob that starts with * must stand in quotes."),
        (DEV + "    digest: clear\n  dev: {}\n", 4, 3, "The key 'dev' stands here and already in line 2"),
        (DEV + "    files: &a x.yaml\n    exclude: *a\n", 4, 14, "*a is an alias"),
        # unknown words
        (DEV + "    brnach: x\n", 3, 5, "environments.dev: 'brnach' is no key here. Did you mean 'branch'?"),
        (DEV + "    merge_request: {}\n", 3, 5, "'merge_request' is no key here. Did you mean 'merge-request'?"),
        (DEV + "    chart: {version: patch, directory: true, keep: 1}\n", 3, 52, "environments.dev.chart.keep: The number 1 is out of bounds: keep 2 to 1000 folders."),
        (DEV + "    chart: {version: patch, directory: true, keep: '5'}\n", 3, 52, "environments.dev.chart.keep: There is text where a whole number should stand."),
        (DEV + "    chart: {versoin: patch}\n", 3, 13, "'versoin' is no key here. Did you mean 'version'? Allowed here: questions, app-version, version, directory, keep."),
        (DEV + "    chart: {directory: true}\n", 3, 24, "environments.dev.chart.directory: Version folders need versions that rise: write version: build (or patch) beside directory, or take directory out."),
        (DEV + "    chart: {version: patch, keep: 5}\n", 3, 29, "environments.dev.chart: Without directory: true there are no version folders to keep: write it, or take keep out."),
        (DEV + "    quiet: []\n", 3, 5, "branch, files, exclude, base, tags, delivery, merge-request, promote-from, digest, deployments, freeze, windows, rollback, manual-revert, chart."),
        (DEV + "    tags: {ordre: none}\n", 3, 12, "'ordre' is no key here. Did you mean 'order'? Allowed here: "),
        ("environment: {}\nenvironments: {a: {}}\n", 1, 1, "Did you mean 'environments'? Allowed here: "),
        ("1: x\nenvironments: {a: {}}\n", 1, 1, "'1' is no key here. Allowed here: environments, images."),
        (IMAGE + "- {repository: a, file: a/b.yaml, path: t, tag: x}\n", 5, 44, "images.0: 'tag' is no key"),
        (DEV + "    delivery: automerge\n", 3, 15, "'automerge' is no value for delivery. Did you mean 'auto-merge'? Allowed here: commit, merge-request, auto-merge."),
        (DEV + "    digest: clean\n", 3, 13, "Did you mean 'clear'? Allowed here: refuse, clear."),
        (DEV + "    tags: {order: Numeric}\n", 3, 19, "Did you mean 'numeric'?"),
        (DEV + "    tags: {order: ~}\n", 3, 19, "There is nothing where a word should stand. Allowed here: numeric"),
        # wrong types
        (DEV + "    branch: 1.10\n", 3, 13, "environments.dev.branch: There is the number 1.1 where text should"),
        (DEV + "    branch: true\n", 3, 13, "There is the truth value true where text should stand: put it in"),
        (DEV + "    files: 5\n", 3, 12, "There is the number 5 where a glob or a list of globs should stand."),
        (DEV + "    files: {a: b}\n", 3, 12, "There is a mapping where a glob or a list of globs should stand."),
        (DEV + "    exclude: []\n", 3, 14, "environments.dev.exclude: Nothing stands here"),
        (DEV + "    files:\n", 3, 11, "There is nothing where a glob or a list"),
        (DEV + "    tags: numeric\n", 3, 11, "environments.dev.tags: There is text where a mapping should stand"),
        (IMAGE + "- nginx\n", 5, 3, "images.0: There is text where a mapping should stand"),
        (DEV + "    base: []\nimages: {}\n", 3, 11, "There is a list where text should stand"),
        # names, branches, globs, paths
        ("environments: {Dev: {}}\n", 1, 16, "environments: 'Dev' is no name for an environment"),
        ("environments: {a..b: {}}\n", 1, 16, "'a..b' is no name"),
        ("environments: {a.lock: {}}\n", 1, 16, "'a.lock' is no name"),
        ("environments: {-a: {}}\n", 1, 16, "'-a' is no name"),
        ("environments: {a/b: {}}\n", 1, 16, "'a/b' is no name"),
        ('environments: {"": {}}\n', 1, 16, "'' is no name"),
        (f"environments: {{{'x' * 64}: {{}}}}\n", 1, 16, "1 to 63 lower-case letters"),
        (DEV + "    branch: a b\n", 3, 13, "The branch 'a b' has ' ' in it"),
        (DEV + "    branch: refs/heads/dev\n", 3, 13, "leave out refs/heads/"),
        (DEV + "    branch: ''\n", 3, 13, "The branch '' is no name of a branch"),
        (DEV + "    files: /charts/*\n", 3, 12, "environments.dev.files: The glob '/charts/*' starts with '/'"),
        (DEV + "    files: [a, ../b]\n", 3, 16, "environments.dev.files.1: The glob '../b' has"),
        (DEV + "    files: ''\n", 3, 12, "The glob '' is empty"),
        (DEV + "    exclude: 'a\\b'\n", 3, 14, "has a backslash"),
        (DEV + "    files: a/*\n    base: ../x\n", 4, 11, "'../x' is no path of a file"),
        (DEV + "    files: a/*\n    base: a/{app}/x\n", 4, 11, "has braces that are not {chart}"),
        (DEV + "    files: a/*\n    base: a/*/x\n", 4, 11, "has a wildcard"),
        (DEV + "    base: a.yaml\n", 3, 11, "A base is for overlay files, and this environment names none"),
        (DEV + "    files: [a/*, b]\n    base: '{chart}.yaml'\n", 3, 18, "The glob 'b' has no wildcard"),
        # patterns
        (DEV + "    tags: {pattern: 'a(b'}\n", 3, 21, "'a(b' is no regular expression: missing )"),
        (DEV + "    tags: {pattern: 'a(b'}\n", 3, 21, "unterminated subpattern at character 2."),
        (DEV + "    tags: {pattern: 'a{99999999999}'}\n", 3, 21, "too much for a regular expression"),
        (DEV + "    tags: {pattern: ''}\n", 3, 21, "environments.dev.tags.pattern: Nothing stands here"),
        (DEV + f"    tags: {{pattern: {'x' * 513}}}\n", 3, 21, "longer than 512 characters"),
        (DEV + "    tags: {pattern: '(?P<biuld>.*)'}\n", 3, 21, "named build or version"),
        (DEV + "    tags: {pattern: '(?P<build>.)(?P<version>.)'}\n", 3, 21, "keep the one to compare by"),
        # images
        (IMAGE + "- {file: a/b.yaml, path: t}\n", 5, 3, "images.0: The key repository is missing"),
        (IMAGE + "- {repository: 'nginx:1', file: a/b.yaml, path: t}\n", 5, 16, "write the repository alone, 'nginx'"),
        (IMAGE + "- {repository: 'a b', file: a/b.yaml, path: t}\n", 5, 16, "'a b' is no image repository"),
        (IMAGE + "- {repository: a, file: a/*.yaml, path: t}\n", 5, 25, "one file is meant here"),
        (IMAGE + "- {repository: a, file: /a/b.yaml, path: t}\n", 5, 25, "is no path of a file"),
        (IMAGE + "- {repository: a, file: b/b.yaml, path: t}\n", 5, 25, "No environment's files take 'b/b.yaml'"),
        (IMAGE.replace("images", "    exclude: a/b*\nimages") + "- {repository: a, file: a/b.yaml, path: t}\n", 6, 25, "No environment's files take 'a/b.yaml'"),
        (IMAGE + "- {repository: a, file: a/b.yaml, path: a..b}\n", 5, 41, "'a..b' is not a key path"),
        (IMAGE + "- {repository: a, file: a/b.yaml, path: []}\n", 5, 41, "A path names a key in the file"),
        (IMAGE + "- {repository: a, file: a/b.yaml, path: 3}\n", 5, 41, "A path names a key in the file"),
        (IMAGE + "- {repository: a, file: a/b.yaml, path: [0, a]}\n", 5, 41, "A path names a key in the file"),
        (IMAGE + "- {repository: a, file: a/b.yaml, path: [a, 1.5]}\n", 5, 41, "The path holds 1.5"),
        (IMAGE + "- {repository: a, file: a/b.yaml, path: [a, true]}\n", 5, 41, "The path holds True"),
        (IMAGE + "- {repository: a, file: a/b.yaml, path: [a, -1]}\n", 5, 41, "The path holds -1"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_its_line_its_column_and_what_to_write(
    text: str, line: int, column: int, sentence: str
) -> None:
    with pytest.raises(InvalidConfigRepo) as caught:
        parse_rules(text.encode())
    assert (caught.value.path, caught.value.line, caught.value.column) == (RULES_PATH, line, column)
    first = str(caught.value).splitlines()[0]
    assert first.startswith(f"{RULES_PATH}:{line}:{column}: ")
    assert sentence in first


def test_every_problem_of_a_file_is_told_in_the_order_of_the_file() -> None:
    text = "environments:\n  dev:\n    digest: clean\n    files: /a\n  Prod:\n    quiet: []\nimage: []\n"
    with pytest.raises(InvalidConfigRepo) as caught:
        parse_rules(text.encode(), "my.yaml")
    assert str(caught.value).splitlines() == [
        "my.yaml:3:13: environments.dev.digest: 'clean' is no value for digest. "
        "Did you mean 'clear'? Allowed here: refuse, clear.",
        "my.yaml:4:12: environments.dev.files: The glob '/a' starts with '/': "
        "write it relative to the top of the config repo.",
        "my.yaml:5:3: environments: 'Prod' is no name for an environment: 1 to 63 lower-case letters, digits, "
        "'-', '_' and single '.', the first a letter or digit, and no .lock at the end.",
        "my.yaml:6:5: environments.Prod: 'quiet' is no key here. "
        "Allowed here: branch, files, exclude, base, tags, delivery, merge-request, promote-from, digest, deployments, "
        "freeze, windows, rollback, manual-revert, chart.",
        "my.yaml:7:1: 'image' is no key here. Did you mean 'images'? Allowed here: environments, images.",
    ]
    assert (caught.value.path, caught.value.line, caught.value.column) == ("my.yaml", 3, 13)


def test_a_file_full_of_mistakes_gets_a_message_of_bearable_length() -> None:
    keys = "".join(f"key{number}: {'x' * 5000}\n" for number in range(500))
    with pytest.raises(InvalidConfigRepo) as caught:
        parse_rules((keys + f"environments: {{dev: {{branch: '{'x ' * 5000}'}}}}").encode())
    lines = str(caught.value).splitlines()
    assert len(lines) == MAX_COMPLAINTS + 1
    assert lines[-1] == f"{RULES_PATH}: and {501 - MAX_COMPLAINTS} more."
    assert max(map(len, lines)) < 1000


def test_what_stands_in_several_documents_is_refused_as_a_whole() -> None:
    with pytest.raises(InvalidConfigRepo, match=r"rules\.yaml: The file holds 2 documents"):
        parse_rules(b"environments: {dev: {}}\n---\nenvironments: {prod: {}}\n")


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode()))
def test_bytes_that_are_no_rules_are_refused_and_never_crash(data: bytes) -> None:
    with pytest.raises(InvalidConfigRepo) as caught:
        parse_rules(data)
    assert caught.value.path == RULES_PATH


words = st.sampled_from(
    ["environments", "images", "dev", "branch", "files", "tags", "order", "pattern", "repository", "path", 3]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(words, values, max_size=4))
def test_values_of_any_type_anywhere_are_refused_at_a_place_in_the_file(value: object) -> None:
    text = _flow(value)
    line, column = 1, 1
    try:
        parse_rules(text.encode())
    except InvalidConfigRepo as error:
        line, column = error.line, error.column
    assert line == 1
    assert 1 <= column <= len(text)


def _flow(value: object) -> str:
    """Write a value as YAML on one line, which every JSON text is but for keys that are numbers."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(one):08x}" for one in value) + '"'
    return {None: "null", True: "true", False: "false"}.get(value, str(value))  # type: ignore[call-overload,no-any-return]


@given(
    st.integers(0, 5), st.integers(0, 8), st.sampled_from(["brnach: x", "delivery: automerge", "files: /x"])
)
def test_the_place_of_a_mistake_is_found_wherever_it_stands(lines: int, indent: int, mistake: str) -> None:
    above = "# a comment\n" * lines + "environments:\n dev:\n"
    spaces = " " * (indent + 2)
    text = f"{above}{spaces}digest: clear\n{spaces}{mistake}\n"
    with pytest.raises(InvalidConfigRepo) as caught:
        parse_rules(text.encode())
    on_value = 0 if mistake.startswith("brnach") else mistake.index(" ") + 1
    assert (caught.value.line, caught.value.column) == (lines + 4, len(spaces) + 1 + on_value)


ODD_BRANCHES = [
    *(
        "dev",
        "main",
        "release/1.0",
        "feature/a-b.c",
        "이리스",
        "ü/é",
        "a@b",
        "@x",
        "x@",
        "a.locked",
        "heads/HEAD",
    ),
    *(f"a{sign}b" for sign in "{#%!'\"$&()+,;<=>|]~^:?*[\\\x7f\x01 "),
    *(
        "-a",
        "a-/-b",
        ".a",
        "a/.b",
        "a.",
        "a./b",
        "a.lock",
        "a.lock/b",
        "a..b",
        "a/",
        "/a",
        "a//b",
        "a@{b",
        "@",
        "HEAD",
    ),
]


def test_a_branch_is_taken_exactly_where_git_takes_it() -> None:
    told = {name: not branch_problem(name) for name in ODD_BRANCHES}
    git = {
        name: subprocess.run(["git", "check-ref-format", "--branch", name], capture_output=True).returncode
        == 0
        for name in ODD_BRANCHES
    }
    # Git takes these as names of branches or as what they stand for; nobody means that in a rules file.
    assert {name for name in ODD_BRANCHES if told[name] is not git[name]} <= {"@", "HEAD"}


@given(st.text("ab./@{-~ \\", min_size=1, max_size=6))
def test_a_branch_without_a_problem_has_nothing_in_it_that_git_forbids(name: str) -> None:
    forbidden = re.search(r"\.\.|//|@\{|[ ~\\]|^[-/.]|[/.]$|/\.|\.lock(/|$)|^@$", name)
    assert bool(branch_problem(name)) is bool(forbidden)


def test_a_branch_longer_than_a_file_name_may_be_is_refused() -> None:
    assert not branch_problem("ü" * 125)
    assert "longer than 250 bytes" in branch_problem("ü" * 126)


def test_a_branch_with_what_nobody_can_see_is_refused() -> None:
    assert "cannot be printed" in branch_problem("a\u200bb")
