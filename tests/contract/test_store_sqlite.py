"""What is promised of SQLite itself: kills, locks, faults, files and the growth of the schema."""

from __future__ import annotations

import os
import sqlite3
import stat
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from support.store_files import DATABASE, child, is_sound, lines, shape
from support.stores import MINUTE, Clock, OnSqlite, OpenStore, tag_of, wish

from updater.errors import InvalidSettings, Unreachable
from updater.store import Query, Records, Store, accepting, changes, schema, sqlite, tables


def commits_in_log(folder: Path) -> int:
    """Count the commits in the write-ahead log (https://sqlite.org/fileformat2.html#walformat).

    A frame is a commit where the second number of its header is not zero; frames of an earlier use
    of the file have another salt.
    """
    log = (folder / f"{DATABASE}-wal").read_bytes()
    if not log:
        return 0
    page = struct.unpack_from(">I", log, 8)[0]
    salt = log[16:24]
    frames = range(32, len(log) - 24 - page + 1, 24 + page)
    return sum(
        1 for at in frames if log[at + 8 : at + 16] == salt and struct.unpack_from(">I", log, at + 4)[0]
    )


@contextmanager
def write_locked(folder: Path) -> Iterator[None]:
    """Be another process that writes for as long as the block lasts."""
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


class TestDurability(OnSqlite):
    def test_what_was_acknowledged_survives_a_kill(self, tmp_path: Path, open_store: OpenStore) -> None:
        acknowledged: set[str] = set()
        for _ in range(4):
            with child("add_for_ever", tmp_path / "data") as process:
                said = lines(process)
                acknowledged.update(next(said) for _ in range(200))
                process.kill()
                acknowledged.update(said)
        assert is_sound(tmp_path / "data")
        stored = {record.request.id for record in open_store().find(Query(limit=1_000_000))}
        assert len(acknowledged) >= 800
        assert acknowledged <= stored

    def test_each_commit_waits_for_the_disk(self, tmp_path: Path, store: Store) -> None:
        def pragmas(connection: Connection) -> list[object]:
            return [connection.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous")]

        full = 2  # https://sqlite.org/pragma.html#pragma_synchronous
        assert store._write(pragmas) == ["wal", full]

    def test_requests_that_arrive_together_share_a_commit(self, tmp_path: Path, store: Store) -> None:
        store.add(wish())
        before = commits_in_log(tmp_path / "data")
        together = Barrier(21)

        def add() -> None:
            together.wait()
            store.add(wish())

        threads = [Thread(target=add) for _ in range(20)]
        with write_locked(tmp_path / "data"):
            for thread in threads:
                thread.start()
            together.wait()
            while store._writer._jobs.qsize() < 19:
                Event().wait(0.001)
        for thread in threads:
            thread.join()
        assert store.counts()["pending"] == 21
        assert commits_in_log(tmp_path / "data") - before == 1

    def test_a_check_goes_to_the_disk(self, tmp_path: Path, store: Store) -> None:
        before = commits_in_log(tmp_path / "data")
        store.check()
        assert commits_in_log(tmp_path / "data") == before + 1


class TestLock(OnSqlite):
    def test_a_second_server_is_refused_and_the_first_one_named(
        self, tmp_path: Path, open_store: OpenStore
    ) -> None:
        with child("hold_lock", tmp_path / "data") as process:
            assert next(lines(process)) == "1 claimed"
            store = open_store()
            with pytest.raises(InvalidSettings, match=rf"process {process.pid} on .*only one may"):
                store.lock()
            assert store.claim(10, MINUTE) == []

    def test_a_killed_servers_lock_and_leases_are_free_at_once(
        self, tmp_path: Path, open_store: OpenStore
    ) -> None:
        with child("hold_lock", tmp_path / "data") as process:
            assert next(lines(process)) == "1 claimed"
        store = open_store()
        store.lock()
        assert len(store.claim(10, MINUTE)) == 1

    def test_a_lock_taken_twice_is_one_lock_and_ends_with_the_store(self, open_store: OpenStore) -> None:
        first, second = open_store(), open_store()
        first.lock()
        first.lock()
        with pytest.raises(InvalidSettings, match=str(os.getpid())):
            second.lock()
        first.close()
        second.lock()


class TestFaults(OnSqlite):
    @pytest.fixture
    def hasty(self, tmp_path: Path, clock: Clock) -> Iterator[Store]:
        with Store(tmp_path / "data", clock=clock, patience=timedelta(milliseconds=20)) as store:
            yield store

    def test_a_locked_database_is_an_outage_that_passes(self, tmp_path: Path, hasty: Store) -> None:
        kept, _ = hasty.add(wish())
        with write_locked(tmp_path / "data"):
            with pytest.raises(Unreachable, match=r"database is locked.*try again"):
                hasty.add(wish())
            with pytest.raises(Unreachable, match="locked"):
                hasty.check()
            assert hasty.get(kept.request.id) == kept
        hasty.check()
        hasty.add(wish())
        assert hasty.counts()["pending"] == 2

    def test_everybody_who_waited_for_a_locked_database_is_told(self, tmp_path: Path, hasty: Store) -> None:
        told: list[str] = []

        def add() -> None:
            try:
                hasty.add(wish())
            except Unreachable as error:
                told.append(str(error))

        with write_locked(tmp_path / "data"):
            threads = [Thread(target=add) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(told) == 8

    def test_a_full_disk_is_an_outage_that_passes(self, tmp_path: Path, open_store: OpenStore) -> None:
        with child("run_out_of_disk", tmp_path / "data") as process:
            said = list(lines(process))
            assert process.wait() == 0
        assert len(said) == 2
        assert all("does not answer" in line and "Nothing was changed" in line for line in said)
        assert is_sound(tmp_path / "data")
        assert [tag_of(record.request) for record in open_store().find(Query())] == ["after", "before"]

    def test_one_broken_change_does_not_stop_those_beside_it(self, tmp_path: Path, store: Store) -> None:
        first, _ = store.add(wish())
        together = Barrier(4)
        failed: list[str] = []

        def add() -> None:
            together.wait()
            store.add(wish())

        def break_a_constraint() -> None:
            addition = accepting.Addition(first.request, None)
            together.wait()
            try:
                store._writer.write(accepting.add, addition)
            except Exception as error:
                failed.append(type(error).__name__)

        threads = [Thread(target=job) for job in (add, break_a_constraint, add)]
        with write_locked(tmp_path / "data"):
            for thread in threads:
                thread.start()
            together.wait()
            while store._writer._jobs.qsize() < 2:
                Event().wait(0.001)
        for thread in threads:
            thread.join()
        assert failed == ["IntegrityError"]
        assert store.counts()["pending"] == 3

    def test_a_damaged_database_is_an_outage(self, tmp_path: Path, clock: Clock) -> None:
        (tmp_path / DATABASE).write_bytes(b"This is no database. " * 100)
        with pytest.raises(Unreachable, match="file is not a database"):
            Store(tmp_path, clock=clock)

    def test_a_database_that_vanished_is_not_made_anew(self, tmp_path: Path, store: Store) -> None:
        for path in (tmp_path / "data").glob(f"{DATABASE}*"):
            path.unlink()
        with pytest.raises(InvalidSettings, match="no database"):
            Store.reading(tmp_path / "data")
        assert not (tmp_path / "data" / DATABASE).exists()


class TestFiles(OnSqlite):
    def test_only_the_owner_may_read_them(self, tmp_path: Path, store: Store) -> None:
        store.lock()
        store.add(wish())
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
        assert modes == dict.fromkeys((DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "updater.lock"), 0o600)

    def test_closing_leaves_one_file_that_holds_everything(self, tmp_path: Path, store: Store) -> None:
        store.add(wish())
        store.counts()
        store.close()
        assert [path.name for path in (tmp_path / "data").iterdir()] == [DATABASE]

    def test_any_name_of_a_directory_will_do(self, tmp_path: Path, clock: Clock) -> None:
        folder = tmp_path / "a b" / "데이터?x=1#&%20"
        with Store(folder, clock=clock) as store:
            store.add(wish())
        assert is_sound(folder)

    def test_a_directory_that_cannot_be_made_is_a_wrong_setting(self, tmp_path: Path, clock: Clock) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(InvalidSettings, match=r"file/data.*Choose a directory"):
            Store(tmp_path / "file" / "data", clock=clock)

    def test_many_may_open_a_new_database_at_once(self, tmp_path: Path, clock: Clock) -> None:
        together = Barrier(6)
        opened: list[int] = []

        def open_one() -> None:
            together.wait()
            with Store(tmp_path / "data", clock=clock) as store:
                opened.append(store.counts()["pending"])

        threads = [Thread(target=open_one) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert opened == [0] * 6


class TestReading(OnSqlite):
    def test_it_sees_what_the_server_does_and_takes_no_lock(self, tmp_path: Path, store: Store) -> None:
        store.lock()
        with Store.reading(tmp_path / "data") as records:
            record, _ = store.add(wish())
            assert records.find(Query()) == [record]

    def test_it_works_without_a_server(self, tmp_path: Path, store: Store) -> None:
        record, _ = store.add(wish())
        store.close()
        with Store.reading(tmp_path / "data") as records:
            assert records.get(record.request.id) == record

    def test_a_reader_cannot_write(self, tmp_path: Path, store: Store) -> None:
        records = Store.reading(tmp_path / "data")
        with records, records._connection() as connection, pytest.raises(OperationalError, match="readonly"):
            changes.release_leases(connection)

    def test_without_a_database_it_says_who_makes_one(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidSettings, match="server makes it"):
            Records(tmp_path)
        assert list(tmp_path.iterdir()) == []


class TestSchema(OnSqlite):
    @staticmethod
    def make(folder: Path, *statements: str) -> None:
        with closing(sqlite3.connect(folder / DATABASE)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    VERSIONS = (
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
        "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )

    def test_all_migrations_together_make_the_tables_of_a_new_database(
        self, tmp_path: Path, clock: Clock
    ) -> None:
        new, old = tmp_path / "new", tmp_path / "old"
        old.mkdir()
        self.make(old, self.VERSIONS)
        for folder in (new, old):
            with Store(folder, clock=clock) as store:
                store.add(wish())
        assert shape(old) == shape(new)
        with closing(sqlite3.connect(old / DATABASE)) as connection:
            assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
                (tables.REVISION,)
            ]

    def test_a_migration_that_is_cut_short_leaves_nothing_behind(self, tmp_path: Path) -> None:
        self.make(tmp_path, self.VERSIONS)
        before = shape(tmp_path)
        engine = sqlite.writing_engine(tmp_path / DATABASE, MINUTE)

        def be_interrupted() -> None:
            with engine.begin() as connection:
                schema._migrate(connection, "here")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            be_interrupted()
        assert shape(tmp_path) == before

    def test_nothing_is_migrated_under_a_running_server(
        self, tmp_path: Path, store: Store, clock: Clock
    ) -> None:
        store.lock()
        self.make(tmp_path / "data", "DELETE FROM alembic_version")
        with pytest.raises(InvalidSettings, match="only one may"):
            Store(tmp_path / "data", clock=clock)

    def test_alembic_is_loaded_only_to_migrate(self, tmp_path: Path) -> None:
        self.make(tmp_path, self.VERSIONS)
        said: list[str] = []
        for folder in (tmp_path / "new", tmp_path / "new", tmp_path):
            with child("say_whether_alembic_is_loaded", folder) as process:
                said += lines(process)
        assert said == ["False", "False", "True"]

    def test_a_database_of_a_later_version_is_left_alone(
        self, tmp_path: Path, store: Store, clock: Clock
    ) -> None:
        store.close()
        self.make(tmp_path / "data", "UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(InvalidSettings, match="later version"):
            Store(tmp_path / "data", clock=clock)
        with pytest.raises(InvalidSettings, match="another version"):
            Store.reading(tmp_path / "data")

    def test_somebody_elses_database_is_left_alone(self, tmp_path: Path, clock: Clock) -> None:
        self.make(tmp_path, "CREATE TABLE theirs (x)")
        with pytest.raises(InvalidSettings, match="something else"):
            Store(tmp_path, clock=clock)
        assert [name for _, name, _ in shape(tmp_path)] == ["theirs"]
