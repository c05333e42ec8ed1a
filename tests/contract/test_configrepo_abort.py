"""A push or fetch that is ended from another thread, as at the end of the process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gitserver import GitServer, make_bare, tip
from support.mirrors import FILES, VALUES, children, mirrored, write

from updater.configrepo import Pushed
from updater.errors import Unreachable


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare(tmp_path / "srv", FILES)


@pytest.fixture
def server(bare: Path) -> Iterator[GitServer]:
    with GitServer(bare.parent) as running:
        yield running


def test_a_push_under_way_is_aborted_from_another_thread_and_nothing_stays_behind(
    server: GitServer, tmp_path: Path
) -> None:
    stopped: list[str] = []

    with mirrored(server, tmp_path / "mirror", timeout=600) as repo:
        before = children()

        def push() -> None:
            update = write(repo)
            server.hang = True
            for act in (lambda: repo.push({"main": update}), lambda: repo.push({"main": update}), repo.fetch):
                try:
                    act()
                except Unreachable as error:
                    stopped.append(str(error))
            repo.close()

        owner = threading.Thread(target=push, daemon=True)
        owner.start()
        while owner.is_alive() and not any("receive-pack" in path for _, path, _ in server.requests):
            time.sleep(0.01)
        repo.abort()
        owner.join(30)
        assert not owner.is_alive()
        assert [text.partition("(")[2].partition(")")[0] for text in stopped] == [
            "git push",
            "git push",
            "git fetch",
        ]
        assert all("was stopped" in text for text in stopped)
        assert children() == before
        server.heal()
        repo.fetch()


def test_an_abort_while_nothing_is_under_way_harms_nothing_that_is_here_already(
    bare: Path, tmp_path: Path
) -> None:
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        snapshot = repo.snapshot("main")
        repo.abort()
        repo.abort()
        assert snapshot.read(VALUES) == str(FILES[VALUES]).encode()
        assert repo.snapshot("main").commit == snapshot.commit
        update = write(repo)
        with pytest.raises(Unreachable, match="was stopped"):
            repo.push({"main": update})
        assert tip(bare) == update[0]
        repo.close()
        assert repo.push({"main": update}) == {"main": Pushed.LANDED}
