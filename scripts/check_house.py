"""The house rules that no other tool checks; `scripts/test` and the pre-commit hook run it.

Each rule is one function from the files of a checkout to complaints. It reads what Git tracks or
would track, changes nothing, and prints one line per complaint.
"""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MODULE_LINES = 400
FUNCTION_LINES = 50
FUNCTION_LINES_P90 = 25
DECISION_LINES = 45

# Written in halves, so that this file does not complain about itself.
_UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
_NO_COVER = re.compile("pragma: " + "no cover")
_MACHINE_PATH = re.compile(r"(?<![\w.$}~-])/(?:root|opt|work|Users|home/[a-z])[\w.-]*/")
_REGISTRY_HOST = re.compile(
    r"\b(?:pypi|pythonhosted|npmjs|debian|ubuntu)\.(?:org|com)\b|--(?:extra-)?index[-]url\b|--find[-]links\b"
)
_SKIPS = frozenset({"skip", "skipif", "xfail", "importorskip", "skipIf", "skipUnless", "expectedFailure"})
_MOCK_PARTS = frozenset({"mock", "pytest_mock"})


@dataclass(frozen=True, slots=True)
class Complaint:
    """One broken rule; `line` is 0 where the whole file is meant."""

    path: str
    line: int
    problem: str

    def __str__(self) -> str:
        """Return it the way compilers do, so that editors can jump there."""
        return f"{self.path}:{self.line}: {self.problem}" if self.line else f"{self.path}: {self.problem}"


Texts = Mapping[str, str]  # path from the root, with "/" -> what it says
Rule = Callable[[Texts], Iterator[Complaint]]


def read_checkout(root: Path) -> Texts:
    """Return every text file that Git tracks or would track on the next `git add`."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout.decode()
    texts = {}
    for name in sorted(filter(None, names.split("\0"))):
        path = root / name
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if b"\0" not in content:
                texts[name] = content.decode(errors="replace")
    return texts


def _python(texts: Texts, *folders: str) -> Iterator[tuple[str, str, ast.Module]]:
    for path, text in texts.items():
        if path.endswith(".py") and (not folders or path.split("/")[0] in folders):
            yield path, text, ast.parse(text, path)


def _functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, (node.end_lineno or node.lineno) - node.lineno + 1


def modules_are_short(texts: Texts) -> Iterator[Complaint]:
    """No module is longer than 400 lines: what grows past that becomes a package."""
    for path, text, _ in _python(texts):
        lines = len(text.splitlines())
        if lines > MODULE_LINES:
            yield Complaint(path, 0, f"{lines} lines; a module has at most {MODULE_LINES}")


def functions_are_short(texts: Texts) -> Iterator[Complaint]:
    """No function is longer than 50 lines, and nine of ten in the package have at most 25."""
    lengths = []
    for path, _, tree in _python(texts):
        for function, length in _functions(tree):
            if path.startswith("updater/"):
                lengths.append(length)
            if length > FUNCTION_LINES:
                yield Complaint(
                    path, function.lineno, f"{function.name} has {length} lines; at most {FUNCTION_LINES}"
                )
    p90 = sorted(lengths)[int(len(lengths) * 0.9)] if lengths else 0
    if p90 > FUNCTION_LINES_P90:
        yield Complaint(
            "updater", 0, f"one function in ten has {p90} lines or more; at most {FUNCTION_LINES_P90}"
        )


def modules_say_what_they_hide(texts: Texts) -> Iterator[Complaint]:
    """Every module but a test file starts with a docstring."""
    for path, text, tree in _python(texts):
        if text.strip() and not PurePosixPath(path).name.startswith("test_") and not ast.get_docstring(tree):
            yield Complaint(path, 1, "a module says in its docstring what it hides and who calls it")


def nothing_is_mocked(texts: Texts) -> Iterator[Complaint]:
    """No mock library anywhere (docs/decisions/005-no-mocks.md); ruff does not look into tests."""
    for path, _, tree in _python(texts):
        for node in ast.walk(tree):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            if any(_MOCK_PARTS & set(name.split(".")) for name in names):
                yield Complaint(
                    path, getattr(node, "lineno", 0), "no mocks: use the real thing, or a double with state"
                )


def no_test_is_skipped(texts: Texts) -> Iterator[Complaint]:
    """Tests run or are left out by name (`scripts/test --without`); none skips itself."""
    for path, _, tree in _python(texts, "tests"):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute) or node.attr not in _SKIPS:
                continue
            if _root_name(node) in {"pytest", "unittest"}:
                yield Complaint(path, node.lineno, "no test skips itself or is expected to fail")


def _root_name(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def nothing_is_unfinished(texts: Texts) -> Iterator[Complaint]:
    """No notes to finish later, and no line excused from coverage."""
    for path, number, line in _lines(texts):
        if _UNFINISHED.search(line):
            yield Complaint(path, number, "finish it, or write an issue")
        if _NO_COVER.search(line):
            yield Complaint(path, number, "no line is excused from coverage")


def nothing_names_a_machine(texts: Texts) -> Iterator[Complaint]:
    """No path of somebody's machine and no package registry's host or option: locks carry hashes."""
    for path, number, line in _lines(texts):
        if _MACHINE_PATH.search(line):
            yield Complaint(path, number, "a path of one machine")
        if _REGISTRY_HOST.search(line):
            yield Complaint(path, number, "a package registry's host or an index option")


def _lines(texts: Texts) -> Iterator[tuple[str, int, str]]:
    for path, text in texts.items():
        for number, line in enumerate(text.splitlines(), 1):
            yield path, number, line


def decisions_are_short(texts: Texts) -> Iterator[Complaint]:
    """A decision is half a page, named NNN-title.md, and its number is its own."""
    found = sorted(path for path in texts if path.startswith("docs/decisions/"))
    taken: set[str] = set()
    for path in found:
        name = PurePosixPath(path).name
        if not re.fullmatch(r"[0-9]{3}-[a-z0-9-]+\.md", name):
            yield Complaint(path, 0, "a decision is named NNN-title.md")
        elif name[:3] in taken:
            yield Complaint(path, 0, f"the number {name[:3]} is taken")
        taken.add(name[:3])
        lines = len(texts[path].splitlines())
        if lines > DECISION_LINES:
            yield Complaint(path, 0, f"{lines} lines; a decision has at most {DECISION_LINES}")


def packages_are_listed(texts: Texts) -> Iterator[Complaint]:
    """setup.cfg names exactly the packages there are: a missing one is missing from the wheel only."""
    listed = set(_setup(texts).get("options", "packages", fallback="").split())
    there = {
        str(PurePosixPath(path).parent).replace("/", ".")
        for path in texts
        if path.startswith("updater/") and path.endswith(".py")
    }
    if any(path.startswith("templates/") for path in texts):
        there.add("updater.templates")
    for name in sorted(there - listed):
        yield Complaint("setup.cfg", 0, f"the package {name} exists and is not listed")
    for name in sorted(listed - there):
        yield Complaint("setup.cfg", 0, f"the package {name} is listed and does not exist")


def changelog_has_the_version(texts: Texts) -> Iterator[Complaint]:
    """The newest heading of CHANGELOG.md is setup.cfg's version."""
    version = _setup(texts).get("metadata", "version", fallback="")
    heading = re.search(r"^## \[?([^\]\s]+)", texts.get("CHANGELOG.md", ""), re.MULTILINE)
    if heading is None or heading[1] != version:
        newest = heading[1] if heading else "nothing"
        yield Complaint("CHANGELOG.md", 0, f"its newest version is {newest}, setup.cfg says {version}")


def _setup(texts: Texts) -> configparser.ConfigParser:
    setup = configparser.ConfigParser()
    setup.read_string(texts.get("setup.cfg", ""))
    return setup


RULES: tuple[Rule, ...] = (
    modules_are_short,
    functions_are_short,
    modules_say_what_they_hide,
    nothing_is_mocked,
    no_test_is_skipped,
    nothing_is_unfinished,
    nothing_names_a_machine,
    decisions_are_short,
    packages_are_listed,
    changelog_has_the_version,
)


def main() -> int:
    """Check the checkout this file stands in; return 1 where a rule is broken."""
    texts = read_checkout(Path(__file__).resolve().parent.parent)
    complaints = [complaint for rule in RULES for complaint in rule(texts)]
    sys.stdout.writelines(f"{complaint}\n" for complaint in complaints)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
