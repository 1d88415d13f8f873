"""Works, their lineage and what people say of them, in SQLite: nothing is overwritten, so everything can be undone."""

from __future__ import annotations

import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from sqlalchemy import Connection, Row, create_engine, event, text

from tvir.contracts.data import Array
from tvir.studio import record
from tvir.studio.migrations import migrate
from tvir.studio.record import Change, Turn
from tvir.studio.refusal import RefusalError, missing

_LATENTS_IN_MEMORY = 512


@dataclass(frozen=True, kw_only=True)
class Work:
    """Something a person has kept.

    Args:
        id: Opaque.
        made: When, in ISO 8601.
        person: Who.
        kind: What it is: a picture or a text.
        origin: How it came about: ``explored``, ``blended``, ``bred``, ``encoded``, ``approached``, ``filled``,
            ``sampled``, ``continued``, ``varied``, ``mine`` (a person's own), ``opened`` (from an exported file).
        weights: Hash of the weights of the model that made it; None for a person's own.
        model: Name of the model.
        run: Name of the run, for people.
        numbers: Of its latent; 0 where there is none.
        condition: Class index.
        condition_name: Name of that class.
        seed: What it was drawn with.
        settings: Of how it came about.
        width: Pixels.
        height: Pixels.
        parents: Ids of the works it descends from.
        text: The text, where it is one.
        name: What a person calls it.
        note: What a person noted.
        favourite: Whether it is one.
        kept: False once it was taken out of the gallery.
        collections: Ids of those it is in.
    """

    id: str
    made: str
    person: str
    kind: Literal["picture", "text"] = "picture"
    origin: str
    weights: str | None = None
    model: str | None = None
    run: str | None = None
    numbers: int = 0
    condition: int | None = None
    condition_name: str | None = None
    seed: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    width: int = 0
    height: int = 0
    parents: tuple[str, ...] = ()
    text: str | None = None
    name: str = ""
    note: str = ""
    favourite: bool = False
    kept: bool = True
    collections: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A work that is about to be kept; see ``Work``."""

    origin: str
    kind: Literal["picture", "text"] = "picture"
    weights: str | None = None
    model: str | None = None
    run: str | None = None
    latent: Array | None = None
    condition: int | None = None
    condition_name: str | None = None
    seed: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    picture: bytes | None = None
    width: int = 0
    height: int = 0
    parents: Sequence[str] = ()
    text: str | None = None


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Works that somebody has put together."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which works are meant.

    Args:
        favourites: Only those.
        collection: Only those in the collection of this id.
        also_removed: Those taken out of the gallery as well.
    """

    favourites: bool = False
    collection: str | None = None
    also_removed: bool = False

    @property
    def said(self) -> list[str]:
        """Attributes that must be true of each."""
        wanted = {
            "kept": not self.also_removed,
            "favourite": self.favourites,
            f"in:{self.collection}": self.collection is not None,
        }
        return [attribute for attribute, is_wanted in wanted.items() if is_wanted]


@dataclass(frozen=True, kw_only=True)
class Done:
    """What can be undone and redone next: keys of phrases, None where there is nothing."""

    undo: str | None
    redo: str | None
    turned: str | None = None
    """What has just been undone or redone."""


class Works:
    """The studio's memory, for several threads and people at once.

    Works themselves never change. What is said of them (that they are kept, favourite, named, in a collection) are
    present values of attributes of subjects; each action records the values before and after. Undoing is a further
    action with the two exchanged, so nothing is ever lost from the record.

    Args:
        path: The SQLite file; made or brought to the newest form.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        migrate(path)
        self._engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 5.0, "check_same_thread": False})
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        self._writer = threading.Lock()
        self._latents: OrderedDict[str, Array | None] = OrderedDict()

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def keep(self, person: str, draft: Draft) -> Work:
        """Keep a work; it survives whatever happens once this returns.

        Raises:
            RefusalError: A parent does not exist.
        """
        return self.keep_all(person, [draft])[0]

    def keep_all(self, person: str, drafts: Sequence[Draft]) -> list[Work]:
        """Keep several works in one action."""
        ids = [secrets.token_hex(8) for _ in drafts]
        with self._writing() as connection:
            for identity, draft in zip(ids, drafts, strict=True):
                self._insert(connection, person, identity, draft)
            record.act(connection, person, "keep", [(f"work:{identity}", "kept", True) for identity in ids])
            return [self._one(connection, identity) for identity in ids]

    def work(self, identity: str) -> Work:
        """One work.

        Raises:
            RefusalError: There is none.
        """
        with self._reading() as connection:
            return self._one(connection, identity)

    def works(self, selection: Selection = Selection(), *, before: str | None = None, limit: int = 500) -> list[Work]:
        """The newest works first.

        Args:
            selection: Which are meant.
            before: Only those older than this work.
            limit: How many at most.
        """
        with self._reading() as connection:
            rows = connection.execute(
                text(
                    f"SELECT {_COLUMNS} FROM works WHERE {_SELECTED} AND (:before IS NULL OR "
                    "number < (SELECT number FROM works WHERE id = :before)) ORDER BY number DESC LIMIT :limit"
                ),
                {"said": json.dumps(selection.said), "before": before, "limit": limit},
            ).all()
            return self._read(connection, rows)

    def count(self, selection: Selection = Selection()) -> int:
        """How many works are meant."""
        with self._reading() as connection:
            query = text(f"SELECT COUNT(*) FROM works WHERE {_SELECTED}")
            return connection.execute(query, {"said": json.dumps(selection.said)}).scalar_one()

    def latent(self, identity: str) -> Array | None:
        """The latent of a work (numbers,), None where it has none."""
        if identity in self._latents:
            return self._latents[identity]
        latent = self._column(identity, "latent")
        numbers = None if latent is None else np.frombuffer(latent, "<f4").astype(np.float32)
        self._latents[identity] = numbers
        if len(self._latents) > _LATENTS_IN_MEMORY:
            self._latents.popitem(last=False)
        return numbers

    def picture(self, identity: str) -> bytes:
        """The picture of a work as PNG.

        Raises:
            RefusalError: There is none.
        """
        picture = self._column(identity, "picture")
        if picture is None:
            raise missing("picture")
        return picture

    def collections(self) -> list[Collection]:
        """Those that are kept, by name."""
        with self._reading() as connection:
            rows = connection.execute(
                text(
                    "SELECT a.subject, a.value FROM present a JOIN present b ON a.subject = b.subject WHERE "
                    "a.subject LIKE 'collection:%' AND a.attribute = 'name' AND b.attribute = 'kept' "
                    "AND b.value = 'true'"
                )
            ).all()
        found = [Collection(id=subject.partition(":")[2], name=json.loads(value)) for subject, value in rows]
        return sorted(found, key=lambda collection: collection.name.casefold())

    def collect(self, person: str, name: str) -> Collection:
        """A new, empty collection."""
        identity = secrets.token_hex(8)
        self.change(
            person, "collect", [(f"collection:{identity}", "name", name), (f"collection:{identity}", "kept", True)]
        )
        return Collection(id=identity, name=name)

    def change(self, person: str, action: str, changes: Sequence[Change]) -> None:
        """Give attributes new values, in one action.

        Args:
            person: Who.
            action: Key of the phrase for it.
            changes: What changes; what is so already is passed over.
        """
        with self._writing() as connection:
            record.act(connection, person, action, changes)

    def subjects(self, kind: str) -> dict[str, dict[str, Any]]:
        """All subjects whose names begin so, with the values of their attributes."""
        with self._reading() as connection:
            query = text("SELECT DISTINCT subject FROM present WHERE subject LIKE :kind || '%'")
            named = [row.subject for row in connection.execute(query, {"kind": kind})]
            return record.present(connection, named)

    def present(self, subject: str) -> dict[str, Any]:
        """The values of a subject's attributes."""
        with self._reading() as connection:
            return record.present(connection, [subject]).get(subject, {})

    def done(self, person: str) -> Done:
        """What the person can undo and redo next."""
        with self._reading() as connection:
            undoable, redoable = record.stacks(connection, person)
        return Done(undo=undoable[-1][1] if undoable else None, redo=redoable[-1][1] if redoable else None)

    def turn(self, person: str, turn: Turn) -> Done:
        """Undo the person's last action, or redo the one undone last.

        Raises:
            RefusalError: There is none, or somebody else has changed the same since.
        """
        with self._writing() as connection:
            undoable, redoable = record.stacks(connection, person)
            stack = undoable if turn == "undo" else redoable
            if not stack:
                raise RefusalError(f"nothing-to-{turn}", f"there is nothing to {turn}", 409)
            number, action = stack[-1]
            record.turn_back(connection, person, turn, number)
        done = self.done(person)
        return Done(undo=done.undo, redo=done.redo, turned=action)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._writer, self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def _column(self, identity: str, column: Literal["latent", "picture"]) -> bytes | None:
        with self._reading() as connection:
            row = connection.execute(text(f"SELECT {column} FROM works WHERE id = :id"), {"id": identity}).first()
        if row is None:
            raise missing("work")
        return row[0]

    def _insert(self, connection: Connection, person: str, identity: str, draft: Draft) -> None:
        latent = None if draft.latent is None else np.asarray(draft.latent, "<f4")
        connection.execute(
            text(
                "INSERT INTO works (id, made, person, kind, origin, weights, model, run, numbers, latent, condition, "
                "condition_name, seed, settings, width, height, picture, text) VALUES (:id, :made, :person, :kind, "
                ":origin, :weights, :model, :run, :numbers, :latent, :condition, :condition_name, :seed, :settings, "
                ":width, :height, :picture, :text)"
            ),
            {
                "id": identity,
                "made": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "person": person,
                "kind": draft.kind,
                "origin": draft.origin,
                "weights": draft.weights,
                "model": draft.model,
                "run": draft.run,
                "numbers": 0 if latent is None else latent.size,
                "latent": None if latent is None else latent.tobytes(),
                "condition": draft.condition,
                "condition_name": draft.condition_name,
                "seed": draft.seed,
                "settings": json.dumps(dict(draft.settings)),
                "width": draft.width,
                "height": draft.height,
                "picture": draft.picture,
                "text": draft.text,
            },
        )
        for position, parent in enumerate(dict.fromkeys(draft.parents)):
            if connection.execute(text("SELECT 1 FROM works WHERE id = :id"), {"id": parent}).first() is None:
                raise missing("parent")
            connection.execute(
                text("INSERT INTO parents (child, position, parent) VALUES (:child, :position, :parent)"),
                {"child": identity, "position": position, "parent": parent},
            )

    def _one(self, connection: Connection, identity: str) -> Work:
        query = text(f"SELECT {_COLUMNS} FROM works WHERE id = :id")
        works = self._read(connection, connection.execute(query, {"id": identity}).all())
        if not works:
            raise missing("work")
        return works[0]

    def _read(self, connection: Connection, rows: Sequence[Row[Any]]) -> list[Work]:
        ids = [row.id for row in rows]
        parents = _parents(connection, ids)
        present = record.present(connection, [f"work:{identity}" for identity in ids])
        return [_work(row, parents.get(row.id, ()), present.get(f"work:{row.id}", {})) for row in rows]


_COLUMNS = (
    "id, made, person, kind, origin, weights, model, run, numbers, condition, condition_name, seed, settings, width, "
    "height, text"
)

_SELECTED = (
    "NOT EXISTS (SELECT 1 FROM json_each(:said) AS said WHERE NOT EXISTS (SELECT 1 FROM present WHERE "
    "subject = 'work:' || works.id AND attribute = said.value AND present.value = 'true'))"
)
"""True of works of which every attribute in the JSON array ``said`` is true."""


def _work(row: Row[Any], parents: Iterable[str], present: Mapping[str, Any]) -> Work:
    fields = dict(row._mapping)
    fields["settings"] = json.loads(fields["settings"])
    inside = sorted(name.partition(":")[2] for name, value in present.items() if name.startswith("in:") and value)
    return Work(
        **fields,
        parents=tuple(parents),
        name=present.get("name", ""),
        note=present.get("note", ""),
        favourite=bool(present.get("favourite", False)),
        kept=bool(present.get("kept", False)),
        collections=tuple(inside),
    )


def _parents(connection: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    query = text(
        "SELECT child, parent FROM parents WHERE child IN (SELECT value FROM json_each(:ids)) ORDER BY child, position"
    )
    found: dict[str, list[str]] = {}
    for child, parent in connection.execute(query, {"ids": json.dumps(list(ids))}):
        found.setdefault(child, []).append(parent)
    return found


def _prepare(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
