"""Upgrades an installed app to the newest version of its chart in this checkout, through Rancher's API.

It hides Rancher's two kinds of catalogs: how each is refreshed, how it tells what it lists, and how an app
is upgraded without losing what people set. The job of template.yml calls it, and holds this file word for
word (docs/decisions/023-upgrades-from-the-pipeline.md). It needs Python 3.10 and nothing else, and no part
of the updater imports it. It never installs an app, and never goes back to an older version unasked.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

T = TypeVar("T")
REFRESH_AGAIN = 30.0  # a refresh may have come before the commit did
CATCH_UP = 30.0  # after it a state is taken for that of the upgrade, also where no new revision is told


class Trouble(Exception):
    """What ends the job, as a sentence."""


class Away(Exception):
    """Rancher did not answer, or not now; it is asked again."""


def say(text: str) -> None:
    """Tell whoever reads the job's log."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@dataclass(frozen=True)
class Wanted:
    """The job's inputs."""

    url: str
    kind: str
    catalog: str
    chart: str
    charts: str
    app: str
    project: str
    cluster: str
    namespace: str
    follow: tuple[str, ...]
    allow_older: bool
    allow_http: bool
    wait: float
    pause: float

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Wanted:
        """Read the variables that the job sets; name the input that is missing."""
        given = {
            name: environment.get(f"CATALOG_UPGRADE_{name.upper()}", "").strip()
            for name in cls.__dataclass_fields__
        }
        by_kind = ["namespace", "cluster"] if given["kind"] == "clusterrepo" else ["project"]
        for name in ["url", "kind", "catalog", "chart", "charts", "app", *by_kind]:
            if not given[name]:
                raise Trouble(f"The input {name} is empty; {given['kind'] or 'every kind'} needs it.")
        read: dict[str, Any] = {
            **given,
            "follow": tuple(key.strip() for key in given["follow"].split(",") if key.strip()),
            "allow_older": given["allow_older"] == "true",
            "allow_http": given["allow_http"] == "true",
            "wait": float(given["wait"]),
            "pause": float(given["pause"]),
        }
        return cls(**read)


@dataclass(frozen=True)
class Installed:
    """What Rancher says of an app; `state` is done, going or error."""

    version: str
    state: str
    words: str
    revision: str


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token is for one address."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Rancher:
    """Rancher's API with a token."""

    def __init__(self, url: str, token: str, *, allow_http: bool) -> None:
        url = url if "://" in url else f"https://{url}"
        if not url.startswith(("https://", "http://") if allow_http else "https://"):
            raise Trouble(
                f"{url} would show the token to the network: use https, or set the input allow-http."
            )
        self._url = url.rstrip("/")
        self._headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._open = urllib.request.build_opener(_Stay).open
        self.clock = ""  # what Rancher's clock said last

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask and return the JSON of the answer.

        Raises:
            Away: no answer, or one that a later try may better.
            Trouble: Rancher says no.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, self._headers, method=method)
        try:
            with self._open(request, timeout=60) as answer:
                self.clock = answer.headers.get("Date", "")
                text = answer.read()
                return json.loads(text) if text.strip() else {}
        except urllib.error.HTTPError as error:
            with error:
                words = f"{method} {path}: {error.code}: {_words(error.read())}"
            # 409: somebody else changed it since it was read.
            if error.code in {408, 409, 429} or error.code >= 500:
                raise Away(words) from None
            raise Trouble(words) from None
        except (OSError, HTTPException, ValueError) as problem:
            if isinstance(getattr(problem, "reason", None), ssl.SSLCertVerificationError):
                raise Trouble(f"{self._url}: {problem}") from None
            raise Away(f"{method} {path}: {problem}") from None


def _words(content: bytes) -> str:
    text = content.decode(errors="replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:300]


class Legacy:
    """A catalog and an app of Rancher up to 2.10, where an app keeps answers."""

    def __init__(self, rancher: Rancher, wanted: Wanted) -> None:
        self._rancher, self._wanted = rancher, wanted
        self._app = f"/v3/project/{wanted.project}/apps/{wanted.project.split(':')[-1]}:{wanted.app}"
        self._external_id = ""

    def installed(self) -> Installed:
        """Return what is installed now."""
        app = self._rancher.ask("GET", self._app)
        self._external_id = str(app.get("externalId", ""))
        query = parse_qs(urlsplit(self._external_id).query)
        catalog, chart = query.get("catalog", [""])[0], query.get("template", [""])[0]
        if (catalog.split("/")[-1], chart) != (self._wanted.catalog.split(":")[-1], self._wanted.chart):
            raise Trouble(f"The app {self._wanted.app} is of the chart {chart} in the catalog {catalog}.")
        going = app.get("transitioning") == "yes" or app.get("state") != "active"
        state = "error" if app.get("transitioning") == "error" else "going" if going else "done"
        words = str(app.get("transitioningMessage") or "")
        return Installed(query.get("version", [""])[0], state, words, str(app.get("appRevisionId")))

    def refresh(self) -> None:
        """Have the catalog read its branch."""
        self._rancher.ask("POST", f"/v3/{self._wanted.kind}s/{self._wanted.catalog}?action=refresh", {})

    def lists(self, version: str) -> bool:
        """Tell whether the catalog offers the version."""
        wished = self._of(version)
        told = self._rancher.ask("GET", f"/v3/templateversions?externalId={quote(wished, safe='')}")
        return any(one.get("externalId") == wished for one in told.get("data") or [])

    def upgrade(self, version: str) -> None:
        """Upgrade; answers that are not sent again would be cleared."""
        app = self._rancher.ask("GET", self._app)
        given = {
            "externalId": self._of(version),
            "forceUpgrade": False,
            "valuesYaml": app.get("valuesYaml", ""),
        }
        for name in ("answers", "answersSetString"):
            if app.get(name) is not None:
                given[name] = _without(app[name], self._wanted.follow, lambda key: [key])
        if given["valuesYaml"]:
            say("The app has values as YAML. They are kept, and what they say of the image counts.")
        self._rancher.ask("POST", f"{self._app}?action=upgrade", given)

    def failure(self) -> str:
        """Return why the upgrade failed, where that is not told with the app."""
        return ""

    def _of(self, version: str) -> str:
        return re.sub(r"(?<=[?&]version=)[^&]*", version, self._external_id)


class ClusterRepo:
    """A repository and an app of Rancher 2.5 and later, where an app keeps values."""

    def __init__(self, rancher: Rancher, wanted: Wanted) -> None:
        self._rancher, self._wanted = rancher, wanted
        base = "/v1" if wanted.cluster == "local" else f"/k8s/clusters/{wanted.cluster}/v1"
        self._repo = f"{base}/catalog.cattle.io.clusterrepos/{wanted.catalog}"
        self._app = f"{base}/catalog.cattle.io.apps/{wanted.namespace}/{wanted.app}"
        self._operations = f"{base}/catalog.cattle.io.operations"
        self._operation = ""

    def installed(self) -> Installed:
        """Return what is installed now."""
        spec = self._rancher.ask("GET", self._app)["spec"]
        chart, told = spec["chart"]["metadata"], spec.get("info", {})
        if chart["name"] != self._wanted.chart:
            raise Trouble(f"The app {self._wanted.app} is of the chart {chart['name']}.")
        state = {"deployed": "done", "failed": "error"}.get(told.get("status", ""), "going")
        return Installed(chart["version"], state, told.get("description", ""), str(spec.get("version")))

    def refresh(self) -> None:
        """Have the repository read its branch: a time that Rancher's own clock takes for now."""
        repo = self._rancher.ask("GET", self._repo)
        now = parsedate_to_datetime(self._rancher.clock)
        repo["spec"]["forceUpdate"] = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        told = ("fields", "relationships", "state")  # added for readers, no part of the object
        repo["metadata"] = {key: value for key, value in repo["metadata"].items() if key not in told}
        kept = ("apiVersion", "kind", "metadata", "spec", "status")
        self._rancher.ask("PUT", self._repo, {key: repo[key] for key in kept if key in repo})

    def lists(self, version: str) -> bool:
        """Tell whether the repository offers the version."""
        entries = self._rancher.ask("GET", f"{self._repo}?link=index").get("entries") or {}
        return any(entry.get("version") == version for entry in entries.get(self._wanted.chart) or [])

    def upgrade(self, version: str) -> None:
        """Upgrade with the values that people set; all others are the new version's own."""
        values = self._rancher.ask("GET", self._app)["spec"].get("values") or {}
        # As Rancher's own form does: its pages look there for the app's upgrades, and Helm waits for pods,
        # though not as long as this job.
        source = {"ui-source-repo": self._wanted.catalog, "ui-source-repo-type": "cluster"}
        chart = {
            "annotations": {f"catalog.cattle.io/{name}": value for name, value in source.items()},
            "chartName": self._wanted.chart,
            "version": version,
            "releaseName": self._wanted.app,
            "values": _without(values, self._wanted.follow, lambda key: key.split(".")),
            "resetValues": True,
        }
        patience = {"wait": True, "timeout": f"{max(int(self._wanted.wait * 2 / 3), 1)}s"}
        body = {"charts": [chart], "namespace": self._wanted.namespace, **patience}
        begun = self._rancher.ask("POST", f"{self._repo}?action=upgrade", body)
        self._operation = f"{begun.get('operationNamespace')}/{begun.get('operationName')}"

    def failure(self) -> str:
        """Return why the upgrade failed, where that is not told with the app."""
        try:
            operation = self._rancher.ask("GET", f"{self._operations}/{self._operation}")
        except Trouble:
            return ""  # Rancher throws them away after a while
        state = operation.get("metadata", {}).get("state", {})
        return str(state.get("message") or "it failed") if state.get("error") else ""


def _without(values: Mapping[str, Any], keys: tuple[str, ...], path: Callable[[str], list[str]]) -> Any:
    """Return values without those that the chart decides; say what they were."""
    kept = json.loads(json.dumps(values))
    for key in keys:
        found = _cut(kept, path(key))
        if found is not None:
            say(f"{key}={found} was set for the app. It is left out: the chart's own counts.")
    return kept


def _cut(values: dict[str, Any], path: list[str]) -> Any:
    """Take a value out, and the mappings that it leaves empty."""
    first, *rest = path
    if not rest:
        return values.pop(first, None)
    inner = values.get(first)
    if not isinstance(inner, dict):
        return None
    found = _cut(inner, rest)
    if not inner:
        del values[first]
    return found


def newest(folder: Path) -> str:
    """Return the highest version among the chart's folders; each Chart.yaml says which it is."""
    files = [*folder.glob("Chart.yaml"), *folder.glob("*/Chart.yaml")]
    lines = [
        re.search(r"""^version: *["']?([0-9][^\s"'#]*)""", file.read_text(encoding="utf-8"), re.MULTILINE)
        for file in files
    ]
    versions = [line[1] for line in lines if line]
    if not versions:
        raise Trouble(
            f"{folder} has no version of a chart: no Chart.yaml there or one folder below tells one."
        )
    return max(versions, key=place)


def place(version: str) -> tuple[Any, ...]:
    """Return a version's place in the order of SemVer."""
    core, _, rest = version.partition("+")[0].partition("-")
    numbers = [int(part) for part in re.findall(r"[0-9]+", core)]
    words = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in rest.split(".")]
    return (numbers, not rest, words)


def until(wanted: Wanted, deadline: float, what: str, look: Callable[[], T | None]) -> T:
    """Look again and again, also while Rancher is away; give up at the deadline."""
    said = ""
    while True:
        trouble = ""
        try:
            found = look()
        except Away as problem:
            found, trouble = None, str(problem)
        if found is not None:
            return found
        if trouble and trouble != said:
            say(trouble)
            said = trouble
        if time.monotonic() > deadline:
            raise Trouble(f"{what} took longer than {wanted.wait:g} s. {trouble}".rstrip())
        threading.Event().wait(wanted.pause)


def upgrade(wanted: Wanted, rancher: Rancher) -> None:
    """Do all of it: refresh, wait until the version is listed, upgrade, wait until that is done."""
    version = newest(Path(wanted.charts) / wanted.chart)
    reader = ClusterRepo(rancher, wanted) if wanted.kind == "clusterrepo" else Legacy(rancher, wanted)
    deadline = time.monotonic() + wanted.wait
    before = until(wanted, deadline, f"Looking at {wanted.app}", reader.installed)
    say(f"{wanted.app} has {wanted.chart} {before.version}; the newest here is {version}.")
    if before.version == version and before.state == "done":
        say("There is nothing to do.")
        return
    if place(before.version) > place(version) and not wanted.allow_older:
        raise Trouble("That is older. Going back on purpose takes the input allow-older.")
    refreshed = -REFRESH_AGAIN

    def listed() -> bool | None:
        nonlocal refreshed
        if time.monotonic() - refreshed >= REFRESH_AGAIN:
            reader.refresh()
            refreshed = time.monotonic()
        return reader.lists(version) or None

    until(wanted, deadline, f"Listing {wanted.chart} {version} in {wanted.catalog}", listed)
    say(f"{wanted.catalog} lists {wanted.chart} {version}.")
    until(wanted, deadline, "Asking for the upgrade", lambda: reader.upgrade(version) or True)
    begun = time.monotonic()

    def done() -> bool | None:
        now = reader.installed()
        fresh = now.revision != before.revision or time.monotonic() - begun > CATCH_UP
        if now.version == version and now.state == "done" and fresh:
            return True
        words = now.words if now.state == "error" and fresh else reader.failure()
        if words:
            raise Trouble(f"{wanted.app} was not upgraded to {version}: {words}")
        return None

    until(wanted, deadline, f"Upgrading {wanted.app} to {version}", done)
    say(f"{wanted.app} has {wanted.chart} {version}.")


def main(environment: Mapping[str, str]) -> int:
    """Do what the job's variables say; return the exit code."""
    token = environment.get("CATALOG_UPGRADE_TOKEN", "")
    try:
        wanted = Wanted.read(environment)
        upgrade(wanted, Rancher(wanted.url, token, allow_http=wanted.allow_http))
    except Trouble as trouble:
        say(str(trouble))
        if not token:
            say("The token is empty here. A protected variable is known on protected branches only.")
        return 1
    except (AttributeError, KeyError, TypeError, ValueError) as odd:
        say(f"Rancher's answer was not understood: {odd!r}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
