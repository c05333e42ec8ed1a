"""Says whether a merge request's pipeline is its own, and whether one may still come.

It hides that a push and its pipeline are not one moment on GitLab, and that pipelines for merged
results test another commit than the head. Called by `gitlab`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from updater.forge.client import Body, Refused
from updater.forge.merging import is_pipeline_of, merged_result
from updater.forge.project import Project
from updater.forge.reading import moment
from updater.forge.recent import Recent

# GitLab makes a pipeline in the background after a push; a busy one takes its time.
PATIENCE = timedelta(seconds=60)
# Beyond that no clock is wrong: a merge request that was left alone for so long gets no pipeline.
_LONG_AGO = timedelta(minutes=10)
_KEPT = timedelta(hours=1)


class Pipelines:
    """What is known of one project's pipelines."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._seen: Recent[tuple[int, str], datetime] = Recent()
        self._parents: Recent[str, tuple[str, ...]] = Recent()
        self._runs_until: datetime | None = None

    def is_own(self, body: Body, head: str) -> bool:
        """Say whether the head pipeline, where there is one, tested `head` or its merge into the target."""
        if is_pipeline_of(body, head):
            return True
        merge = merged_result(body)
        return bool(merge) and head in self._parents_of(merge)

    def may_come(self, body: Body, head: str) -> bool:
        """Say whether a head without any pipeline may get one yet."""
        now = self._project.client.clock()
        key = (int(body["iid"]), head)
        if key not in self._seen:
            self._seen[key] = now
        # Our own first sight of it: the two clocks may differ, and a pipeline must not be missed.
        first = self._seen[key]
        touched = moment(body.get("updated_at"))
        if now - first >= PATIENCE or (touched is not None and now - touched >= _LONG_AGO):
            return False
        return self._are_run(now)

    def _are_run(self, now: datetime) -> bool:
        if self._runs_until is not None and now < self._runs_until:
            return True
        aim = "say whether the project has pipelines"
        try:
            body = self._project.get("", aim)
            if body.get("builds_access_level") == "disabled" or body.get("jobs_enabled") is False:
                return False
            has_any = bool(self._project.get("/pipelines", aim, per_page=1))
        except Refused:
            # Who may not see pipelines cannot wait for one.
            return False
        self._runs_until = now + _KEPT if has_any else None
        return has_any

    def _parents_of(self, commit: str) -> tuple[str, ...]:
        if commit not in self._parents:
            try:
                body = self._project.get(f"/repository/commits/{commit}", f"show the commit {commit}")
            except Refused:
                return ()
            self._parents[commit] = tuple(body.get("parent_ids") or ())
        return self._parents[commit]
