"""What is said of subjects, and the record of who changed it: every action can be turned back, and none is lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, text

from tvir.studio.refusal import RefusalError

_REMEMBERED = 1000
"""Actions of a person that can be undone."""

Change = tuple[str, str, Any]
"""Subject, attribute, and the JSON value it gets."""

Turn = Literal["undo", "redo"]


def present(connection: Connection, subjects: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The present values of the attributes of subjects, those alone that have some."""
    query = text(
        "SELECT subject, attribute, value FROM present WHERE subject IN (SELECT value FROM json_each(:subjects))"
    )
    found: dict[str, dict[str, Any]] = {}
    for subject, attribute, value in connection.execute(query, {"subjects": json.dumps(list(subjects))}):
        if (now := json.loads(value)) is not None:  # what was not there before an action that was undone
            found.setdefault(subject, {})[attribute] = now
    return found


def act(connection: Connection, person: str, action: str, changes: Sequence[Change]) -> None:
    """Give attributes new values in one action; what is so already is passed over."""
    now = present(connection, [subject for subject, _, _ in changes])
    differing = [
        (subject, attribute, now.get(subject, {}).get(attribute), value)
        for subject, attribute, value in changes
        if now.get(subject, {}).get(attribute) != value
    ]
    if differing:
        number = _record(connection, person, action, "do", None)
        _write(connection, number, differing)


def turn_back(connection: Connection, person: str, turn: Turn, number: int) -> None:
    """Exchange what was before an action and after it, which is an action of its own.

    Raises:
        RefusalError: Somebody else has changed the same since.
    """
    rows = connection.execute(
        text("SELECT subject, attribute, before, after FROM changes WHERE action = :number ORDER BY number"),
        {"number": number},
    ).all()
    now = present(connection, [row.subject for row in rows])
    turned = []
    for row in rows:
        subject, attribute, old, new = row.subject, row.attribute, json.loads(row.before), json.loads(row.after)
        old, new = (new, old) if turn == "undo" else (old, new)
        if now.get(subject, {}).get(attribute) != old:
            raise RefusalError("changed-since", "somebody else has changed this since", 409)
        turned.append((subject, attribute, old, new))
    action = _record(connection, person, turn, turn, number)
    _write(connection, action, turned)


def _record(connection: Connection, person: str, action: str, kind: str, of: int | None) -> int:
    inserted = connection.execute(
        text("INSERT INTO actions (at, person, action, kind, of) VALUES (:at, :person, :action, :kind, :of)"),
        {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "person": person, "action": action, "kind": kind,
         "of": of},
    )  # fmt: skip
    return int(inserted.lastrowid)


def _write(connection: Connection, action: int, changes: Iterable[tuple[str, str, Any, Any]]) -> None:
    for subject, attribute, before, after in changes:
        values = {"subject": subject, "attribute": attribute, "before": json.dumps(before), "after": json.dumps(after)}
        connection.execute(
            text(
                "INSERT INTO changes (action, subject, attribute, before, after) "
                "VALUES (:action, :subject, :attribute, :before, :after)"
            ),
            {"action": action, **values},
        )
        connection.execute(
            text(
                "INSERT INTO present (subject, attribute, value) VALUES (:subject, :attribute, :after) "
                "ON CONFLICT (subject, attribute) DO UPDATE SET value = excluded.value"
            ),
            values,
        )


def stacks(connection: Connection, person: str) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """What can be undone and what can be redone, the next last: numbers and names of actions."""
    query = text(
        "SELECT number, action, kind, of FROM actions WHERE person = :person ORDER BY number DESC LIMIT :limit"
    )
    rows = connection.execute(query, {"person": person, "limit": _REMEMBERED}).all()
    names = {row.number: row.action for row in rows}
    undoable: list[int] = []
    redoable: list[int] = []
    for row in reversed(rows):
        if row.kind == "do":
            undoable.append(row.number)
            redoable.clear()
        elif row.of in names:
            came, went = (undoable, redoable) if row.kind == "undo" else (redoable, undoable)
            if row.of in came:
                came.remove(row.of)
                went.append(row.of)
    return [(number, names[number]) for number in undoable], [(number, names[number]) for number in redoable]
