"""The forms that the studio's memory has had; an older file is brought to the newest, with a copy beside it."""

from __future__ import annotations

import fcntl
import sqlite3
from contextlib import closing
from pathlib import Path

from tvir.contracts.errors import TvirError

MIGRATIONS = (
    """
    CREATE TABLE works (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made TEXT NOT NULL, person TEXT NOT NULL,
        kind TEXT NOT NULL, origin TEXT NOT NULL, weights TEXT, model TEXT, run TEXT, numbers INTEGER NOT NULL,
        latent BLOB, condition INTEGER, condition_name TEXT, seed INTEGER, settings TEXT NOT NULL,
        width INTEGER NOT NULL, height INTEGER NOT NULL, picture BLOB, text TEXT
    );
    CREATE TABLE parents (
        child TEXT NOT NULL REFERENCES works (id), position INTEGER NOT NULL,
        parent TEXT NOT NULL REFERENCES works (id),
        PRIMARY KEY (child, position)
    );
    CREATE TABLE present (
        subject TEXT NOT NULL, attribute TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (subject, attribute)
    );
    CREATE TABLE actions (
        number INTEGER PRIMARY KEY, at TEXT NOT NULL, person TEXT NOT NULL, action TEXT NOT NULL, kind TEXT NOT NULL,
        of INTEGER REFERENCES actions (number)
    );
    CREATE TABLE changes (
        number INTEGER PRIMARY KEY, action INTEGER NOT NULL REFERENCES actions (number), subject TEXT NOT NULL,
        attribute TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL
    );
    """,
    """
    CREATE INDEX actions_of_person ON actions (person, number);
    CREATE INDEX changes_of_action ON changes (action);
    CREATE INDEX children_of_parent ON parents (parent);
    """,
)
"""SQL of each step; the number of those done is kept in ``user_version``. Only ever append."""


def migrate(path: Path) -> None:
    """Bring the file to the newest form; a new one is made in it. One process at a time.

    Raises:
        TvirError: The file is of a later version, or damaged. It is left as it was.
    """
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                _migrate(connection, path)
        except sqlite3.DatabaseError as error:
            raise TvirError(
                f"{path} cannot be read ({error}); move it away to begin anew, or bring a copy back"
            ) from None


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (done,) = connection.execute("PRAGMA user_version").fetchone()
    if done > len(MIGRATIONS):
        raise TvirError(f"{path} was written by a later version of tvir; update tvir to open it")
    if done == len(MIGRATIONS):
        return
    if done:
        with closing(sqlite3.connect(path.with_suffix(f".before-{len(MIGRATIONS)}.sqlite"))) as copy:
            connection.backup(copy)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    script = "".join(MIGRATIONS[done:])
    try:
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {len(MIGRATIONS)};")
        _check(connection, path)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _check(connection: sqlite3.Connection, path: Path) -> None:
    (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
    if sound != "ok" or connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise TvirError(f"{path} would not be sound in its new form; it was left as it was")
