"""`version` and `appVersion` in Chart.yaml: how the one rises, and that the other is always a string.

It hides the arithmetic of versions. The last number rises and nothing else: Rancher's UIs do not offer a
pre-release, or a version that differs in build metadata only, as an upgrade.
"""

from __future__ import annotations

from semver import Version

from updater.errors import EditRefused
from updater.yamledit import Insert, Replace, Scalar, YamlText, edit, parse
from updater.yamledit.nodes import behind

_VERSION, _APP_VERSION = ("version",), ("appVersion",)
# Beyond it, the JavaScript of Rancher's UIs does not tell numbers apart (Number.MAX_SAFE_INTEGER).
_MAX_NUMBER = 2**53 - 1


def version_in(data: bytes) -> str:
    """Return a chart's version.

    Raises:
        EditRefused: there is none that could rise.
    """
    text = parse(data)
    node = text.find(_VERSION)
    scalar = behind(node) if node is not None else None
    if not isinstance(scalar, Scalar):
        raise EditRefused("Chart.yaml has no version, so none can rise: write one, such as 0.1.0")
    try:
        Version.parse(scalar.value)
    except ValueError:
        problem = f"the version {scalar.value!r} is not three numbers such as 0.1.0, so none can rise"
        raise EditRefused(problem, line=scalar.line) from None
    return scalar.value


def higher(version: str, number: int | None, least: str = "") -> str:
    """Return the version that follows `version` and `least`: its last number is `number`, or one more.

    `number` counts only where that makes it higher. `least` is empty, or the highest version there ever was:
    one that somebody took away must not come back as something else.
    """
    old = Version.parse(version)
    if least and Version.is_valid(least):
        old = max(old, Version.parse(least))
    is_higher = number is not None and old.patch < number <= _MAX_NUMBER
    return f"{old.major}.{old.minor}.{number if is_higher else old.patch + 1}"


def fallen_from(before: bytes, after: bytes) -> str:
    """Return the version before where the one after is lower; empty where it is not, or one is none."""
    try:
        old, new = version_in(before), version_in(after)
    except EditRefused:
        return ""
    return old if Version.parse(new) < Version.parse(old) else ""


def with_versions(data: bytes, *, version: str = "", app_version: str = "") -> bytes:
    """Return Chart.yaml with these versions in it; an empty one stays as it is.

    Raises:
        EditRefused: it cannot be changed safely; the file is not named.
    """
    text = parse(data)
    edits: list[Replace | Insert] = []
    if version:
        edits.append(Replace(_VERSION, version))
    if app_version:
        edits.append(_app_version(text, app_version))
    return edit(text, edits)


def _app_version(text: YamlText, value: str) -> Replace | Insert:
    # A number there fails `helm lint`, and 1.10 would read as 1.1.
    if text.find(_APP_VERSION) is not None:
        return Replace(_APP_VERSION, value, quoted=True)
    return Insert(_APP_VERSION, value, "version", quoted=True)
