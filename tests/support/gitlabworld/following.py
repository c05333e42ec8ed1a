"""How GitLab comes to know what happened in the repo, and what it makes of it."""

from __future__ import annotations

from datetime import timedelta

from support.gitlabworld.core import Core
from support.gitlabworld.merging import land
from support.gitlabworld.state import MergeRequest, Person
from support.gitlabworld.status import real_status


class Following(Core):
    """The core with eyes: `notice` looks at the repo and draws GitLab's conclusions."""

    def notice(self, by: Person | None = None) -> None:
        """Take note of every branch that moved since; `by` is who pushed, where that is known."""
        with self.lock:
            before, self.refs = self.refs, self.repo.branches()
            person = by or self.root
            for branch in sorted({*before, *self.refs}):
                old, new = before.get(branch, ""), self.refs.get(branch, "")
                if old != new and before:
                    self.emit("push", branch, old=old, new=new, by=person)
            for request in self.requests:
                if request.state == "opened":
                    self._follow(request, before, person)
            for request in self.requests:
                if request.state == "opened" and request.armed_by is not None:
                    self._fire(request)

    def settle(self) -> None:
        """Let time pass until GitLab has caught up with everything."""
        with self.lock:
            self.notice()
            for request in self.requests:
                request.preparing = request.checking = 0
                if request.prepared_at is None:
                    request.prepared_at = self.clock()
                if request.state == "opened" and request.seen != request.head:
                    self._take(request)
                request.checked = (request.head, self.refs.get(request.target, ""))
                request.checking = 0
            self.notice()

    def answered(self, request: MergeRequest, *, single: bool) -> None:
        """Let one GET's worth of time pass for a merge request that was just shown."""
        if request.late:
            request.late -= 1
        if not single:
            return
        if request.preparing:
            request.preparing -= 1
        elif request.checking:
            request.checking -= 1

    def look_at(self, request: MergeRequest) -> None:
        """Begin a check, as a single GET does, where the last one is of other commits."""
        pair = (request.head, self.refs.get(request.target, ""))
        if request.state == "opened" and not request.preparing and request.checked != pair:
            if request.prepared_at is None:
                request.prepared_at = self.clock()
            request.checked, request.checking = pair, self.patience

    def _follow(self, request: MergeRequest, before: dict[str, str], by: Person) -> None:
        old_target, target = before.get(request.target, ""), self.refs.get(request.target, "")
        if target != old_target and self._came_by_push(request, old_target, target):
            request.state, request.merged_at, request.merged_by = "merged", self.clock(), by
            request.armed_by = None
            self.emit("merge_request", request, action="merge", by=by)
            return
        tip = self.refs.get(request.source, "")
        if not tip:
            request.state, request.closed_at, request.closed_by = "closed", self.clock(), by
            request.armed_by = None
            self.emit("merge_request", request, action="close", by=by)
        elif tip != request.seen:
            request.seen = tip
            if isinstance(self.lag, timedelta):
                request.late_until = self.clock() + self.lag
            else:
                request.late = self.lag
        if tip and request.seen != request.head and not self._lags(request):
            self._take(request)

    def _lags(self, request: MergeRequest) -> bool:
        return request.late > 0 or (request.late_until is not None and self.clock() < request.late_until)

    def _came_by_push(self, request: MergeRequest, old_target: str, target: str) -> bool:
        if not target or not self.repo.contains(target, request.head):
            return False
        return not old_target or not self.repo.contains(old_target, request.head)

    def _take(self, request: MergeRequest) -> None:
        """Let the merge request's head follow its branch."""
        old, request.head = request.head, request.seen
        request.late, request.late_until = 0, None
        request.armed_by = None
        if self.edition == "ee":
            request.approvals.clear()
        request.base = self.repo.merge_base(self.refs.get(request.target, request.head), request.head)
        self.touch(request)
        self.add_note(request, self.root, "added 1 commit", system=True)
        self.emit("merge_request", request, action="update", by=self.root, oldrev=old)
        self.run_pipeline(request)

    def run_pipeline(self, request: MergeRequest) -> None:
        """Start the pipeline of a new head, where the project's CI runs any."""

    def _fire(self, request: MergeRequest) -> None:
        """Merge what was set to merge by itself, once nothing stands in its way."""
        if self.is_active(request) or real_status(self, request) != "mergeable":
            return
        assert request.armed_by is not None
        if self.may(request.armed_by, request.target, "merge"):
            land(self, request, request.armed_by, request.armed_with)
            self.refs = self.repo.branches()
