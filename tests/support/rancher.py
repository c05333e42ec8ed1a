"""A double of Rancher's API for the jobs after a merge: catalogs and apps, of the legacy and of the new kind.

It hides an HTTP server and what Rancher does behind it. Charts are read from a branch of a real bare Git
repo, and only after a refresh; nothing happens at once: a refresh and an upgrade take effect after some
looks. It is strict: a wrong token, path, action or key, and a stale object are answered as Rancher does.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import yaml
from support.barerepo import git, show, tip
from support.certificates import Certificate

TOKEN = "token-abcde:of-the-rancher-double"
PROJECT, CLUSTER = "c-m-test:p-test", "c-m-test"
CATALOG, NAMESPACE = "charts-dev", "apps"
# Where Rancher's pages look for an app's upgrades; the form sends it every time, as nobody else keeps it.
FROM_THE_FORM = {
    "catalog.cattle.io/ui-source-repo": CATALOG,
    "catalog.cattle.io/ui-source-repo-type": "cluster",
}
_LEGACY_KINDS = ("catalogs", "clustercatalogs", "projectcatalogs")
_UPGRADE_KEYS = {"answers", "answersSetString", "externalId", "files", "forceUpgrade", "valuesYaml"}
_CHART_KEYS = {"chartName", "version", "releaseName", "values", "resetValues", "force", "annotations"}
_ACTION_KEYS = {"charts", "namespace", "timeout", "wait", "noHooks", "projectId"}
_REPO_KEYS = {"apiVersion", "kind", "metadata", "spec", "status"}


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class App:
    """An installed app. Both kinds keep what people set: answers and YAML, or values."""

    chart: str
    version: str
    answers: dict[str, str] = field(default_factory=dict)
    answers_set_string: dict[str, str] | None = None
    values_yaml: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    revision: int = 1
    looks: int = 0  # until the upgrade that is under way is over
    was: str = ""  # the version before it
    annotations: dict[str, str] = field(default_factory=lambda: dict(FROM_THE_FORM))
    trouble: str = ""


class Rancher:
    """One Rancher with one catalog and its apps.

    `lag` is how many looks a refresh or an upgrade takes; `failure` are the words with which the next
    upgrade fails; `away` is how many requests are answered 503; `moved_to` sends everybody elsewhere;
    `edited` lets somebody else change the ClusterRepo before the next write; `ahead` are the seconds that
    its clock is ahead of everybody else's; with a `certificate` it speaks https.
    """

    def __init__(
        self,
        bare: Path,
        branch: str,
        *,
        kind: str = "catalogs",
        lag: int = 2,
        ahead: int = 0,
        certificate: Certificate | None = None,
    ) -> None:
        self.bare, self.branch, self.kind, self.lag = bare, branch, kind, lag
        self.failure, self.away, self.moved_to, self.edited = "", 0, "", False
        self.ahead = timedelta(seconds=ahead)
        self.catalog, self.cluster, self.namespace = CATALOG, CLUSTER, NAMESPACE
        self.requests: list[tuple[str, str, Any]] = []
        self.apps: dict[str, App] = {}
        self.lock = threading.Lock()
        self._until_synced = -1
        self._version = 1
        self._repo: dict[str, Any] = {"gitRepo": "https://gitlab.example.com/config.git", "gitBranch": branch}
        self._operation_trouble = ""
        self._sync()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _door(self))
        self._scheme = "https" if certificate else "http"
        if certificate:
            self._http.socket = certificate.context.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Rancher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self._scheme}://127.0.0.1:{self._http.server_address[1]}"

    def now(self) -> datetime:
        """Return what its clock says, in whole seconds as Kubernetes keeps times."""
        return (datetime.now(UTC) + self.ahead).replace(microsecond=0)

    def running(self, name: str) -> Any:
        """Return the values that the app's pods run with: the chart's, and over them what people set."""
        app = self.apps[name]
        values: dict[str, Any] = yaml.safe_load(self._index[app.chart][app.version]) or {}
        _merge(values, yaml.safe_load(app.values_yaml) or {})
        _merge(values, app.values)
        for answer, value in {**app.answers, **(app.answers_set_string or {})}.items():
            nested: Any = value
            for part in reversed(answer.split(".")):
                nested = {part: nested}
            _merge(values, nested)
        return values

    def _sync(self) -> None:
        """Read the charts of the branch, as they are now."""
        index: dict[str, dict[str, bytes]] = {}
        for path in git(self.bare, "ls-tree", "-r", "--name-only", self.branch).splitlines():
            folder, _, name = path.rpartition("/")
            if name == "Chart.yaml":
                chart = yaml.safe_load(show(self.bare, self.branch, path))
                values = show(self.bare, self.branch, f"{folder}/values.yaml")
                index.setdefault(chart["name"], {})[chart["version"]] = values
        self._index, self._commit = index, tip(self.bare, self.branch)
        self._downloaded = self.now() - timedelta(seconds=1)

    def _look(self) -> None:
        """Let time pass: what is under way comes a look nearer to its end."""
        if self._until_synced >= 0:
            self._until_synced -= 1
            if self._until_synced < 0:
                self._sync()
        for app in self.apps.values():
            app.looks = max(app.looks - 1, 0)

    def answer(self, method: str, url: str, body: Any, authorization: str) -> tuple[int, Any]:
        """Answer one request."""
        with self.lock:
            self.requests.append((method, url, body))
            if self.away:
                self.away -= 1
                raise Refused(503, "no healthy upstream")
            if self.moved_to:
                raise Refused(302, "moved")
            if authorization != f"Bearer {TOKEN}":
                raise Refused(401, "must authenticate")
            self._look()
            split = urlsplit(url)
            query = dict(parse_qsl(split.query, keep_blank_values=True))
            match [method, *split.path.strip("/").split("/")]:
                case ["POST", "v3", kind, name] if kind in _LEGACY_KINDS and query == {"action": "refresh"}:
                    return self._refresh(kind, name)
                case ["GET", "v3", "templateversions"] if set(query) == {"externalId"}:
                    # A filter that Rancher does not know is left out, so whoever asks has to look.
                    return 200, {"type": "collection", "data": [{"externalId": one} for one in self._all()]}
                case [_, "v3", "project", project, "apps", name] if project == PROJECT:
                    return self._legacy(method, name, query, body)
                case [_, "k8s", "clusters", cluster, "v1", kind, *rest] if cluster == self.cluster:
                    return self._steve(method, [kind, *rest], query, body)
                case [_, "v1", kind, *rest]:
                    return self._steve(method, [kind, *rest], query, body)
                case _:
                    raise Refused(404, "404 page not found")

    # Legacy: norman's /v3

    def _refresh(self, kind: str, name: str) -> tuple[int, Any]:
        scope, _, own = name.rpartition(":")
        if (kind, own) != (self.kind, self.catalog) or (kind != "catalogs") != bool(scope):
            raise Refused(404, f"{name} not found")
        self._until_synced = self.lag
        return 200, {}

    def external_id(self, app: App) -> str:
        """Return the id by which an app knows its chart's version."""
        scopes = {
            "clustercatalogs": (self.cluster, "clusterCatalog"),
            "projectcatalogs": ("p-test", "projectCatalog"),
        }
        scope = scopes.get(self.kind)
        catalog = f"{scope[0]}/{self.catalog}&type={scope[1]}" if scope else self.catalog
        return f"catalog://?catalog={catalog}&template={app.chart}&version={app.version}"

    def _all(self) -> list[str]:
        return [self.external_id(App(chart, one)) for chart, own in self._index.items() for one in own]

    def _legacy(self, method: str, name: str, query: Mapping[str, str], body: Any) -> tuple[int, Any]:
        app = self._app(name.removeprefix("p-test:") if name.startswith("p-test:") else "")
        if method == "GET" and not query:
            return 200, self._legacy_json(app)
        if method != "POST" or query != {"action": "upgrade"}:
            raise Refused(404, "Invalid action")
        _only(body, _UPGRADE_KEYS)
        if body["externalId"] not in self._all():
            raise Refused(404, f"template version {body['externalId']} not found")
        app.version = parse_qs(urlsplit(body["externalId"]).query)["version"][0]
        app.answers = body.get("answers", {})
        app.answers_set_string = body.get("answersSetString")
        app.values_yaml = body.get("valuesYaml", "")
        self._begin(app)
        return 204, None

    def _legacy_json(self, app: App) -> dict[str, Any]:
        going, failed = 0 < app.looks <= self.lag, bool(app.trouble) and not app.looks
        told: dict[str, Any] = {
            "type": "app",
            "externalId": self.external_id(app),
            "answers": app.answers,
            "valuesYaml": app.values_yaml,
            "appRevisionId": f"apprevision-{app.revision - (1 if app.looks else 0)}",
            "state": "deploying" if going else "error" if failed else "active",
            "transitioning": "yes" if going else "error" if failed else "no",
            "transitioningMessage": app.trouble if failed else "",
        }
        if app.answers_set_string is not None:
            told["answersSetString"] = app.answers_set_string
        return told

    # The new kind: steve's /v1

    def _steve(self, method: str, parts: list[str], query: Mapping[str, str], body: Any) -> tuple[int, Any]:
        match [method, *parts, *sorted(f"{key}={value}" for key, value in query.items())]:
            case ["GET", "catalog.cattle.io.clusterrepos", name] if name == self.catalog:
                return 200, self._repo_json()
            case ["PUT", "catalog.cattle.io.clusterrepos", name] if name == self.catalog:
                return self._put(body)
            case ["GET", "catalog.cattle.io.clusterrepos", name, "link=index"] if name == self.catalog:
                entries = {
                    chart: [{"name": chart, "version": version} for version in versions]
                    for chart, versions in self._index.items()
                }
                return 200, {"apiVersion": "v1", "entries": entries}
            case ["POST", "catalog.cattle.io.clusterrepos", name, "action=upgrade"] if name == self.catalog:
                return self._upgrade(body)
            case ["GET", "catalog.cattle.io.apps", namespace, name] if namespace == self.namespace:
                return 200, self._release_json(name, self._app(name))
            case ["GET", "catalog.cattle.io.operations", "cattle-system", "helm-operation-1"]:
                trouble = self._operation_trouble
                state = {"name": "error" if trouble else "active", "error": bool(trouble), "message": trouble}
                return 200, {"metadata": {"state": state}}
            case _:
                raise Refused(404, f"{'/'.join(parts)} not found")

    def _repo_json(self) -> dict[str, Any]:
        return {
            "id": self.catalog,
            "type": "catalog.cattle.io.clusterrepo",
            "links": {"index": "..."},
            "apiVersion": "catalog.cattle.io/v1",
            "kind": "ClusterRepo",
            "metadata": {
                "name": self.catalog,
                "resourceVersion": str(self._version),
                "state": {"name": "active"},
            },
            "spec": dict(self._repo),
            "status": {"commit": self._commit, "branch": self.branch},
        }

    def _put(self, body: Any) -> tuple[int, Any]:
        _only(body, _REPO_KEYS)
        _only(body["metadata"], {"name", "resourceVersion"})
        if self.edited:
            self.edited = False
            self._version += 1
        if body["metadata"].get("resourceVersion") != str(self._version):
            raise Refused(
                409, "the object has been modified; please apply your changes to the latest version"
            )
        self._repo = body["spec"]
        self._version += 1
        wished = datetime.fromisoformat(body["spec"]["forceUpdate"])
        # The rule until Rancher 2.9: later than the last download, and not in the future.
        if self._downloaded < wished <= self.now():
            self._until_synced = self.lag
        return 200, self._repo_json()

    def _upgrade(self, body: Any) -> tuple[int, Any]:
        _only(body, _ACTION_KEYS)
        [wanted] = body["charts"]
        _only(wanted, _CHART_KEYS)
        app = self._app(wanted["releaseName"])
        if not re.fullmatch(r"([0-9]+[hms])+", body.get("timeout", "1s")):
            raise Refused(422, f"{body['timeout']} is no duration")
        if body["namespace"] != self.namespace or wanted["version"] not in self._index.get(
            wanted["chartName"], {}
        ):
            raise Refused(404, f"{wanted['chartName']} {wanted['version']} not found")
        if self.failure.startswith("pod: "):  # Helm did not even run
            self._operation_trouble = self.failure
        else:
            app.was, app.version = app.version, wanted["version"]
            # Helm keeps the old values where none come and nobody says otherwise.
            if wanted.get("values") or wanted.get("resetValues"):
                app.values = wanted.get("values", {})
            app.annotations = wanted.get("annotations", {})
            self._begin(app)
            if not body.get("wait"):  # Helm then calls it deployed whatever becomes of the pods
                app.trouble = ""
        return 201, {"operationName": "helm-operation-1", "operationNamespace": "cattle-system"}

    def _release_json(self, name: str, app: App) -> dict[str, Any]:
        end = "failed" if app.trouble else "deployed"
        version, revision, status = app.version, app.revision, "pending-upgrade" if app.looks else end
        if app.looks > self.lag:
            version, revision, status = app.was, app.revision - 1, "deployed"
        return {
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {
                "name": name,
                "chart": {
                    "metadata": {"name": app.chart, "version": version, "annotations": app.annotations}
                },
                "values": app.values,
                "version": revision,
                "info": {"status": status, "description": app.trouble},
            },
        }

    def _begin(self, app: App) -> None:
        # Whoever asks at once sees it as it was: the one who does it has not heard of it yet.
        app.revision += 1
        app.looks, app.trouble = self.lag + 2, self.failure

    def _app(self, name: str) -> App:
        if name not in self.apps:
            raise Refused(404, f"{name} not found")
        return self.apps[name]


def _only(body: Any, keys: set[str]) -> None:
    if not isinstance(body, dict) or set(body) - keys:
        raise Refused(422, f"unknown fields in {body}")


def _merge(into: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _door(rancher: Rancher) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            body = json.loads(content) if content else None
            try:
                given = self.headers.get("Authorization", "")
                status, told = rancher.answer(self.command, self.path, body, given)
            except Refused as no:
                status, told = no.status, {"type": "error", "status": no.status, "message": str(no)}
            text = b"" if told is None else json.dumps(told).encode()
            self.send_response_only(status)
            if status == 302:
                self.send_header("Location", rancher.moved_to + self.path)
            self.send_header("Date", format_datetime(rancher.now(), usegmt=True))
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_POST(self) -> None:
            self.do_GET()

        def do_PUT(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    return Door
