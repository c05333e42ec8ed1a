"""The forges that the shared contract tests run against: each over a real bare repo, with real pushes.

A maker opens a `Subject`; `SUBJECTS` lists them, and `test_forge.py` runs everything for each.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from support.barerepo import git, make_bare
from support.gitlabs import connected
from support.gitlabworld import GitLabWorld
from support.mirrors import FILES, NOW, VALUES, draft, mirrored

from updater.configrepo import ConfigRepo, Pushed, Remote
from updater.forge import Forge, MergeRequest, Proposal, State
from updater.forge.local import Local

IRIS = "updater/prod/iris"
ROSE = "updater/prod/rose"
ROSE_VALUES = "charts/rose/values.yaml"
_HAND = ("-c", "user.name=kim", "-c", "user.email=kim@example.com")


@dataclass(frozen=True)
class Subject:
    """A forge with its config repo. `settle` lets it see what was pushed and do what it does by itself.

    `person_merges` is what somebody does past the updater.
    """

    forge: Forge
    repo: ConfigRepo
    bare: Path
    settle: Callable[[], None]
    person_merges: Callable[[MergeRequest], None]

    def push(self, branch: str, *contents: str, path: str = VALUES) -> str:
        """Push a source branch, made or replaced, with one commit for each content; return its head."""
        base = self.repo.snapshot("main")
        drafts = [draft(content, f"Say {content.strip()}", path) for content in contents]
        head = self.repo.commit(base, drafts)[-1]
        old = self.repo.branches().get(branch, "")
        assert self.repo.push({branch: (old, head)}, replacing=[branch]) == {branch: Pushed.LANDED}
        return head

    def wanted(self, branch: str, head: str, known: MergeRequest | None = None) -> Proposal:
        """Return what to ask for, for a branch that is pushed."""
        return Proposal(
            branch=branch,
            target="main",
            head=head,
            title=f"Update {branch}",
            description="One line changes.",
            known=known,
        )

    def propose(self, branch: str = IRIS, content: str = "tag: 2\n", path: str = VALUES) -> MergeRequest:
        """Push a branch, have it proposed, and return the open merge request once the forge has seen all."""
        head = self.push(branch, content, path=path)
        (ensured,) = self.forge.ensure([self.wanted(branch, head)])
        assert not isinstance(ensured, Exception), ensured
        self.settle()
        return self.open(branch)

    def open(self, branch: str = IRIS) -> MergeRequest:
        """Return the one open merge request of a branch."""
        (found,) = (one for one in self.forge.look([branch])[branch] if one.state is State.OPENED)
        return found


@contextlib.contextmanager
def on_plain_git(folder: Path) -> Iterator[Subject]:
    """Open the forge of a plain Git remote."""
    bare = make_bare(folder / "srv", FILES)
    with mirrored(str(bare), folder / "mirror") as repo:
        forge = Local(repo, lambda: NOW, lambda branch: "main" if branch.startswith("updater/prod/") else "")

        def person_merges(merge_request: MergeRequest) -> None:
            merge_by_hand(bare, merge_request.branch)

        yield Subject(forge, repo, bare, repo.fetch, person_merges)


def merge_by_hand(bare: Path, branch: str, target: str = "main") -> str:
    """Merge a branch with plain Git, and leave it where it is."""
    tree = git(bare, "merge-tree", "--write-tree", target, branch)
    parents = ("-p", target, "-p", branch)
    commit = git(bare, *_HAND, "commit-tree", tree, *parents, "-m", f"Merge {branch} by hand")
    git(bare, "update-ref", f"refs/heads/{target}", commit)
    return commit


@contextlib.contextmanager
def on_gitlab(folder: Path) -> Iterator[Subject]:
    """Open the forge of a GitLab, whose config repo is reached through it as well."""
    bare = make_bare(folder / "srv", FILES)
    with (
        GitLabWorld(bare) as world,
        mirrored(Remote(world.git_url, world.token), folder / "mirror") as repo,
        connected(world) as forge,
    ):

        def settle() -> None:
            world.settle()
            repo.fetch()

        def person_merges(merge_request: MergeRequest) -> None:
            world.person_merges(merge_request.number)

        yield Subject(forge, repo, bare, settle, person_merges)


SUBJECTS: Mapping[str, Callable[[Path], AbstractContextManager[Subject]]] = {
    "plain git": on_plain_git,
    "gitlab": on_gitlab,
}
