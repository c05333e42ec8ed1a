"""Plans on files in memory: a branch, its rules, and requests given as `image:tag`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from support.files import DictFiles

from updater.charts import Survey
from updater.model import Caller, ImageReference, UpdateRequest
from updater.plan import Change, Draft, Ground, Plan, plan
from updater.policy import parse_rules

IRIS = "registry.example.com/iris"


def request(number: int, image: str, **more: object) -> UpdateRequest:
    digest = more.pop("digest", None)
    name = image if "/" in image else f"registry.example.com/{image}"
    return UpdateRequest(
        id=f"r{number}",
        image=ImageReference.parse(name, digest),  # type: ignore[arg-type]
        caller=more.pop("caller", Caller(name="ci")),  # type: ignore[arg-type]
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        sequence=number,
        **more,  # type: ignore[arg-type]
    )


class Branch:
    """One branch in memory and its rules; `asks` plans requests given as `image:tag` or ready made."""

    def __init__(self, files: Mapping[str, str], rules: str) -> None:
        self.files = DictFiles(files)
        self.rules = parse_rules(rules.encode())

    def asks(self, *images: str | UpdateRequest) -> Plan:
        draft = Draft(self.files)
        ground = Ground("main", draft, Survey(draft))
        requests = [request(n, one) if isinstance(one, str) else one for n, one in enumerate(images)]
        return plan(self.rules, {one.name: ground for one in self.rules.environments}, requests)


def told(planned: Plan) -> dict[str, str]:
    return {verdict.request.id: verdict.kind.value for verdict in planned.verdicts}


def notes(planned: Plan) -> list[str]:
    return [note.code for verdict in planned.verdicts for note in verdict.notes]


def reason(planned: Plan) -> str:
    return planned.verdicts[0].reason.code


def content(planned: Plan, path: str = "charts/iris/values.yaml") -> str:
    written = planned.changes[-1].files[path]
    assert written is not None
    return written.decode()


def deployed(planned: Plan) -> list[Change]:
    return [change for change in planned.changes if isinstance(change, Change)]
