"""What people do on GitLab's pages, what CI does, and how administrators set it up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from support.barerepo import protect, unprotect
from support.gitlabworld.following import Following
from support.gitlabworld.merging import attempt, land
from support.gitlabworld.state import (
    LEVELS,
    Deployment,
    MergeRequest,
    Milestone,
    Note,
    Person,
    Pipeline,
    Project,
    Protection,
    Terms,
)

_SHA = re.compile(r"[0-9a-f]{40}\Z")


class Acts(Following):
    """The verbs of the tests; each is what a person could do with a browser."""

    @property
    def merge_requests(self) -> Sequence[MergeRequest]:
        """All merge requests there ever were, the oldest first."""
        with self.lock:
            self.notice()
            return tuple(self.requests)

    def notes(self, iid: int, *, system: bool = False) -> list[Note]:
        """Return the notes on a merge request, the oldest first; GitLab's own only where asked."""
        return [note for note in self.mr(iid).notes if system or not note.system]

    def person_merges(self, iid: int, by: str = "kim", *, squash: bool = False) -> str:
        """Merge on the page, with whatever GitLab wants fulfilled; return what stands on the target."""
        with self.lock:
            self.settle()
            request, person = self.mr(iid), self.person(by)
            terms = Terms(squash=squash or request.squash)
            no = attempt(self, request, person, sha=request.head, auto=False, terms=terms)
            assert no is None, f"GitLab did not let {by} merge !{iid}: {no}"
            return request.merge_commit or request.squash_commit or request.head

    def person_merges_anyway(self, iid: int, by: str = "kim") -> None:
        """Merge past rules that only ask, as an owner of the project can."""
        with self.lock:
            self.settle()
            assert land(self, self.mr(iid), self.person(by), Terms()), f"!{iid} conflicts with its target."

    def merge_begins(self, iid: int) -> None:
        """Lock a merge request as a merge that takes its time does: it is neither open nor merged."""
        with self.lock:
            self.notice()
            assert self.mr(iid).state == "opened", "GitLab begins to merge only what is open."
            self.mr(iid).state = "locked"

    def merge_fails(self, iid: int) -> None:
        """Let a merge that began come to nothing, so that the merge request is open again."""
        with self.lock:
            assert self.mr(iid).state == "locked"
            self.mr(iid).state = "opened"
            self.notice()

    def person_arms(self, iid: int, by: str = "kim") -> None:
        """Set a merge request to merge by itself, on its page."""
        with self.lock:
            self.settle()
            request, person = self.mr(iid), self.person(by)
            terms = Terms(squash=request.squash)
            no = attempt(self, request, person, sha=request.head, auto=True, terms=terms)
            assert no is None, f"GitLab did not let {by} set !{iid} to merge by itself: {no}"

    def person_closes(self, iid: int, by: str = "kim") -> None:
        """Close a merge request."""
        with self.lock:
            self.notice()
            self.change_state(self.mr(iid), "close", by=self.person(by))

    def person_reopens(self, iid: int, by: str = "kim") -> None:
        """Open a closed merge request again; its branch must exist."""
        with self.lock:
            self.notice()
            assert self.mr(iid).source in self.refs, "GitLab reopens nothing without a source branch."
            self.change_state(self.mr(iid), "reopen", by=self.person(by))

    def person_approves(self, iid: int, by: str = "kim") -> None:
        """Approve the head as it is now."""
        with self.lock:
            self.notice()
            request, person = self.mr(iid), self.person(by)
            request.approvals.append(person)
            self.add_note(request, person, "approved this merge request", system=True)
            self.emit("merge_request", request, action="approved", by=person)
            self.notice()

    def person_requests_changes(self, iid: int, by: str = "kim") -> None:
        """Ask for changes in a review, which blocks in the paid edition."""
        with self.lock:
            self.mr(iid).requested_changes = True
            self.emit("merge_request", self.mr(iid), action="update", by=self.person(by))

    def person_edits(
        self, iid: int, by: str = "kim", *, title: str | None = None, description: str | None = None
    ) -> None:
        """Change title or description."""
        with self.lock:
            request = self.mr(iid)
            request.title = request.title if title is None else title
            request.description = request.description if description is None else description
            self.touch(request)
            self.emit("merge_request", request, action="update", by=self.person(by))

    def person_notes(self, iid: int, body: str, by: str = "kim") -> Note:
        """Write a comment."""
        with self.lock:
            return self.add_note(self.mr(iid), self.person(by), body)

    def person_opens(self, source: str, target: str, title: str, by: str = "kim") -> MergeRequest:
        """Open a merge request of some branch."""
        with self.lock:
            self.notice()
            request = self.make_request(source, target, title, by=self.person(by))
            self.emit("merge_request", request, action="open", by=request.author)
            return request

    def discussion(self, iid: int, *, resolved: bool = False) -> None:
        """Open a thread, or resolve one; threads block where the project says so (it does from now on)."""
        with self.lock:
            self.must_resolve = True
            request = self.mr(iid)
            request.open_discussions = max(0, request.open_discussions + (-1 if resolved else 1))
            self.notice()

    def pipeline(self, branch_or_sha: str, status: str) -> Pipeline:
        """Let CI run on a branch's tip or on a commit, or let its run there come to a new status."""
        with self.lock:
            self.notice()
            sha = branch_or_sha if _SHA.match(branch_or_sha) else self.refs[branch_or_sha]
            ref = branch_or_sha if branch_or_sha in self.refs else self._branch_of(sha)
            found = [one for one in self.pipelines if one.sha == sha and one.ref == ref]
            now = self.clock()
            if found:
                found[-1].status, found[-1].updated = status, now
            else:
                number = len(self.pipelines) + 1
                self.pipelines.append(Pipeline(self.next_id(), number, ref, sha, status, now, now, self.root))
            pipeline = (found or self.pipelines)[-1]
            self.emit("pipeline", pipeline, by=self.root)
            self.notice()
            return pipeline

    def run_pipeline(self, request: MergeRequest) -> None:
        if self.runs_pipelines:
            self.pipeline(request.source, self.runs_pipelines)

    def _branch_of(self, sha: str) -> str:
        names = [name for name, tip in self.refs.items() if tip == sha]
        return names[0] if names else next(one.source for one in self.requests if one.head == sha)

    def require_approvals(self, count: int) -> None:
        """Want approvals; only the paid edition can."""
        assert self.edition == "ee", "The free edition has no required approvals."
        self.approvals_required = count

    def require_pipeline(self, wanted: bool = True) -> None:
        """Let only green pipelines be merged."""
        self.must_pass = wanted

    def require_sha(self, wanted: bool = True) -> None:
        """Want `sha` on every merge (19.2 and later)."""
        assert self.generation != "18", "GitLab 18 does not know this setting."
        self.sha_required = wanted

    def protect(self, branch: str, *, merge: str = "maintainer", push: str = "maintainer") -> None:
        """Protect a branch or a wildcard; roles are nobody, developer, maintainer."""
        with self.lock:
            self.protections = [found for found in self.protections if found.pattern != branch]
            self.protections.append(Protection(self.next_id(), branch, LEVELS[push], LEVELS[merge]))
            self._guard()

    def set_role(self, username: str, role: str) -> None:
        """Give a member another role."""
        with self.lock:
            self.person(username).level = LEVELS[role]
            self._guard()

    def _guard(self) -> None:
        """Let the repo refuse what the bot may not push, in GitLab's words."""
        shut = [found.pattern for found in self.protections if not self.may(self.bot, found.pattern, "push")]
        if shut:
            protect(self.repo.bare, *shut)
        else:
            unprotect(self.repo.bare)

    def move_project(self, new_path: str) -> None:
        """Rename or transfer the config project; the old path leads on for reading."""
        with self.lock:
            self.config.former.append(self.config.path)
            self.config.path = new_path

    def add_project(self, path: str, role: str = "developer") -> Project:
        """Add another project, where the bot is a member of that role."""
        with self.lock:
            project = Project(id=self.next_id() + 8000, path=path, level=LEVELS[role])
            self.projects.append(project)
            return project

    def deployments(self, path: str) -> list[Deployment]:
        """Return what was recorded on a project."""
        return [one for project in self.projects if project.path == path for one in project.deployments]

    def add_milestone(self, title: str) -> Milestone:
        """Add a milestone to the config project."""
        milestone = Milestone(self.next_id(), len(self.milestones) + 1, title)
        self.milestones.append(milestone)
        return milestone

    def expire_token(self, when: date) -> None:
        """Let the bot's token expire at a day's beginning."""
        self.bot.expires = when

    def revoke_token(self) -> None:
        """Take the bot's token back."""
        self.bot.revoked = True

    def force_status(self, iid: int, status: str) -> None:
        """Let a check that the double does not make answer this (empty: no longer)."""
        self.mr(iid).forced_status = status

    def open_like(self, source: str, target: str) -> MergeRequest | None:
        """Return the open merge request of these branches."""
        for request in self.requests:
            if (request.state, request.source, request.target) == ("opened", source, target):
                return request
        return None

    def make_request(self, source: str, target: str, title: str, *, by: Person) -> MergeRequest:
        """Make a merge request of two branches that exist."""
        now, head = self.clock(), self.refs[source]
        request = MergeRequest(
            id=self.next_id(),
            iid=len(self.requests) + 1,
            source=source,
            target=target,
            title=title,
            description=None,
            author=by,
            head=head,
            seen=head,
            base=self.repo.merge_base(self.refs[target], head),
            created=now,
            updated=now,
            preparing=self.preparing,
        )
        self.requests.append(request)
        return request

    def change_state(self, request: MergeRequest, event: str, *, by: Person) -> None:
        """Close or reopen; what makes no sense changes nothing, as on GitLab."""
        now = self.clock()
        if event == "close" and request.state == "opened":
            request.state, request.closed_at, request.closed_by = "closed", now, by
            request.armed_by = None
        elif event == "reopen" and request.state == "closed":
            request.state, request.closed_at, request.closed_by = "opened", None, None
            request.seen = request.head = self.refs.get(request.source, request.head)
            request.checked = ("", "")
        else:
            return
        self.touch(request)
        self.emit("merge_request", request, action=event, by=by)
