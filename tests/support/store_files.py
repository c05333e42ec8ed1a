"""A store's database as a file, and the processes that tests kill while they work on it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DATABASE = "updater.sqlite3"


@contextmanager
def child(program: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a program of support/store_child.py and kill it in the end."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "support.store_child", program, str(folder)],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """Return what the process says, without a last line that was cut off."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.endswith("\n"):
            yield line.rstrip()


def is_sound(folder: Path) -> bool:
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def shape(folder: Path) -> list[tuple[str, ...]]:
    """Return how the database in `folder` was made, apart from blanks and the order of making."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        rows = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        return sorted((kind, name, "".join((sql or "").split())) for kind, name, sql in rows)


def load(script: Path, folder: Path) -> None:
    """Make the database in `folder` that an SQL script tells of."""
    folder.mkdir()
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.executescript(script.read_text())
        connection.execute("PRAGMA journal_mode = WAL")
