"""What single values in the rules may be: names, branches, globs, patterns, paths.

Each function takes a value as written, returns it as used, or raises ValueError with a sentence that
says what is wrong and what would be right: that is how pydantic wants it, and `schema` is the only
caller. It hides git-check-ref-format(1) and the pitfalls of regular expressions, and never runs Git.
"""

from __future__ import annotations

import re

from updater.errors import InvalidConfigRepo, UpdaterError
from updater.globs import compile_glob
from updater.model import canonical_repository, split_reference
from updater.policy.tags import COMPARED_GROUPS
from updater.yamledit import KeyPath, parse_path

MAX_NAME = 63

# For editors only, which complete and underline by the JSON Schema; the validators below decide.
NAME_FORM = r"^[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*$"
_RELATIVE = r"(?!/)(?!.*//)(?!(.*/)?\.{1,2}(/|$))"
GLOB_FORM = rf"^{_RELATIVE}(?!.*[^/]\*\*)(?!.*\*\*[^/])[^\\{{}}]*[^\\/{{}}]$"
FILE_FORM = rf"^{_RELATIVE}[^\\*?]*[^\\/*?]$"
BASE_FORM = rf"^{_RELATIVE}([^\\{{}}*?]|\{{chart\}})+(?<!/)$"
REPOSITORY_FORM = r"^([^/@\s]+/)*[^/:@\s]+$"
BRANCH_FORM = (
    r"^(?![-/])(?!refs/)(?!.*(\.\.|@\{|//|/\.|\.lock(/|$)))(?!(@|HEAD)$)"
    r"[^.\x00- \x7f~^:?*\[\\]([^\x00- \x7f~^:?*\[\\]*[^\x00- \x7f~^:?*\[\\/.])?$"
)
LABEL_FORM = r"^[^\s,\x00-\x1f\x7f]([^,\x00-\x1f\x7f]{0,253}[^\s,\x00-\x1f\x7f])?$"
LOGIN_FORM = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$"
TITLE_FORM = r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]{0,253}[^\s\x00-\x1f\x7f])?$"

_NAME = re.compile(NAME_FORM.replace("$", r"\Z"))
_LABEL = re.compile(LABEL_FORM.replace("$", r"\Z"))
_LOGIN = re.compile(LOGIN_FORM.replace("$", r"\Z"))
_TITLE = re.compile(TITLE_FORM.replace("$", r"\Z"))


def environment_name(name: str) -> str:
    """Take the name of an environment; it stands in commit messages, addresses and branch names."""
    if not _NAME.match(name) or len(name) > MAX_NAME or name.endswith(".lock"):
        raise ValueError(
            f"{name!r} is no name for an environment: 1 to {MAX_NAME} lower-case letters, digits, '-', '_' "
            "and single '.', the first a letter or digit, and no .lock at the end."
        )
    return name


def branch(name: str) -> str:
    """Take the name of a branch, as git-check-ref-format(1) allows it."""
    if problem := branch_problem(name):
        raise ValueError(f"The branch {name!r} {problem}.")
    return name


def glob(text: str) -> str:
    """Take a glob of files."""
    try:
        compile_glob(text)
    except InvalidConfigRepo as error:
        raise ValueError(str(error)) from error
    return text


def file(path: str) -> str:
    """Take the path of one file, from the top of the config repo."""
    if not {"", ".", ".."}.isdisjoint(path.split("/")) or "\\" in path or not path.isprintable():
        raise ValueError(
            f"{path!r} is no path of a file: write it from the top of the config repo, "
            "such as charts/iris/values.yaml."
        )
    if not {"*", "?"}.isdisjoint(path):
        raise ValueError(f"{path!r} has a wildcard, and one file is meant here: write its whole name.")
    return path


def base(path: str) -> str:
    """Take the path of an overlay's base, in which `{chart}` may stand."""
    if not {"{", "}"}.isdisjoint(path.replace("{chart}", "")):
        raise ValueError(f"{path!r} has braces that are not {{chart}}, the only thing that is filled in.")
    return file(path)


def pattern(text: str) -> str:
    """Take a regular expression of tags that names at most one group, the one that is compared."""
    try:
        groups = re.compile(text).groupindex
    except re.error as error:
        where = "" if error.pos is None else f" at character {error.pos + 1}"
        raise ValueError(f"{text!r} is no regular expression: {error.msg}{where}.") from error
    except (OverflowError, RecursionError) as error:
        raise ValueError(f"{text!r} is too much for a regular expression: {error}.") from error
    stray = [name for name in groups if name not in COMPARED_GROUPS]
    if stray:
        raise ValueError(
            f"The pattern names a group {stray[0]!r}, which means nothing: the group to compare by is named "
            "build or version, and other groups need no name."
        )
    if len(groups) == len(COMPARED_GROUPS):
        raise ValueError("The pattern names both groups, build and version: keep the one to compare by.")
    return text


def repository(name: str) -> str:
    """Take an image's repository, without a tag or digest."""
    bare, tag, digest = split_reference(name)
    if tag or digest:
        raise ValueError(f"{name!r} has a tag or digest: write the repository alone, {bare!r}.")
    if canonical_repository(name) is None:
        raise ValueError(f"{name!r} is no image repository, such as registry.example.com/team/iris.")
    return name


def label(name: str) -> str:
    """Take a label of a merge request; GitLab takes several in one text, with commas between them."""
    if not _LABEL.match(name) or not name.isprintable():
        raise ValueError(
            f"{name!r} is no label: one line of at most 255 characters, without a comma and without blanks "
            "around it. Several labels are a list."
        )
    return name


def login(name: str) -> str:
    """Take the login of a person on GitLab."""
    if not _LOGIN.match(name):
        raise ValueError(
            f"{name!r} is no login: write it as in the address of the person's page, without @, such as kim. "
            "Groups cannot be named."
        )
    return name


def title(text: str) -> str:
    """Take the title of a milestone."""
    if not _TITLE.match(text) or not text.isprintable():
        raise ValueError(
            f"{text!r} is no title: one line of at most 255 characters without blanks around it."
        )
    return text


def key_path(value: object) -> KeyPath:
    """Take where a tag is written: keys joined by dots, or a list of keys."""
    try:
        path = parse_path(value) if isinstance(value, str) else value
    except UpdaterError as error:
        raise ValueError(str(error)) from error
    if not isinstance(path, list | tuple) or not path or not isinstance(path[0], str):
        raise ValueError("A path names a key in the file: write image.tag, or a list such as [image, tag].")
    wrong = [part for part in path if not isinstance(part, str) and (type(part) is not int or part < 0)]
    if wrong:
        raise ValueError(
            f"The path holds {wrong[0]!r}: keys are text, and items of a list are numbers from 0."
        )
    return tuple(path)


# Git writes a branch to a file called `<name>.lock` first, and file systems take 255 bytes.
MAX_BYTES = 250

_UNFIT_CHARACTER = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]")


def branch_problem(name: str) -> str:
    """Say why `name` cannot be a branch, as the end of a sentence; empty where it can."""
    unfit = _UNFIT_CHARACTER.search(name)
    if unfit:
        return f"has {unfit[0]!r} in it, which Git does not allow"
    if not name.isprintable():
        return "has a character in it that cannot be printed"
    if name.startswith("refs/"):
        return "is the full name of a ref: leave out refs/heads/"
    if name in {"", "@", "HEAD"} or name.startswith("-"):
        return "is no name of a branch for Git"
    if len(name.encode()) > MAX_BYTES:
        return f"is longer than {MAX_BYTES} bytes"
    if ".." in name or "@{" in name or name.endswith("."):
        return "has '..' or '@{' in it or ends with '.', which Git does not allow"
    parts = name.split("/")
    if "" in parts:
        return "has an empty part: '/' separates parts and stands neither first nor last"
    if any(part.startswith(".") or part.endswith(".lock") for part in parts):
        return "has a part that starts with '.' or ends with '.lock', which Git does not allow"
    return ""
