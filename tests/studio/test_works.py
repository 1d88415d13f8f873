import shutil
import signal
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from tvir.contracts.errors import TvirError
from tvir.studio import migrations
from tvir.studio.refusal import RefusalError
from tvir.studio.works import Draft, Selection, Works


@pytest.fixture
def works(tmp_path):
    opened = Works(tmp_path / "works.sqlite")
    yield opened
    opened.close()


def draft(**more):
    return Draft(**{"origin": "explored", "picture": b"png", "width": 1, "height": 1, **more})


def test_a_work_comes_back_as_it_was_kept(works):
    latent = np.array([0.1, -2.5, 3e-8], np.float32)
    parent = works.keep("ada", draft())
    work = works.keep("ada", draft(latent=latent, seed=7, condition=2, settings={"boldness": 0.5}, parents=[parent.id]))
    assert np.array_equal(works.latent(work.id), latent)
    assert works.picture(work.id) == b"png"
    assert works.work(work.id) == work
    assert (work.seed, work.condition, work.settings, work.parents) == (7, 2, {"boldness": 0.5}, (parent.id,))
    assert [found.id for found in works.works()] == [work.id, parent.id]
    assert [found.id for found in works.works(before=work.id)] == [parent.id]


def test_everything_can_be_undone_and_redone_in_order(works):
    work = works.keep("ada", draft())
    subject = f"work:{work.id}"
    works.change("ada", "favourite", [(subject, "favourite", True)])
    works.change("ada", "note", [(subject, "note", "first")])
    works.change("ada", "note", [(subject, "note", "second")])
    assert works.turn("ada", "undo").turned == "note"
    assert works.work(work.id).note == "first"
    works.turn("ada", "undo")
    works.turn("ada", "undo")
    assert (works.work(work.id).note, works.work(work.id).favourite) == ("", False)
    works.turn("ada", "undo")
    assert not works.work(work.id).kept
    assert works.works() == []
    with pytest.raises(RefusalError, match="nothing to undo"):
        works.turn("ada", "undo")
    for _ in range(4):
        works.turn("ada", "redo")
    again = works.work(work.id)
    assert (again.kept, again.favourite, again.note) == (True, True, "second")
    assert works.done("ada").redo is None


def test_a_new_action_ends_what_could_be_redone_but_not_the_record(works):
    work = works.keep("ada", draft())
    works.change("ada", "note", [(f"work:{work.id}", "note", "lost?")])
    works.turn("ada", "undo")
    works.change("ada", "favourite", [(f"work:{work.id}", "favourite", True)])
    with pytest.raises(RefusalError, match="nothing to redo"):
        works.turn("ada", "redo")
    with works._reading() as connection:
        told = connection.exec_driver_sql("SELECT after FROM changes WHERE attribute = 'note'").scalars().all()
    assert '"lost?"' in told


def test_people_undo_their_own_actions_and_never_another_person_s(works):
    work = works.keep("ada", draft())
    works.change("bob", "note", [(f"work:{work.id}", "note", "by bob")])
    works.turn("ada", "undo")
    assert works.work(work.id).note == "by bob"
    works.turn("ada", "redo")
    works.change("ada", "note", [(f"work:{work.id}", "note", "by ada")])
    with pytest.raises(RefusalError, match="somebody else"):
        works.turn("bob", "undo")
    assert works.work(work.id).note == "by ada"


def test_collections_hold_works_until_they_are_taken_away(works):
    work = works.keep("ada", draft())
    collection = works.collect("ada", "threes")
    works.change("ada", "put-in", [(f"work:{work.id}", f"in:{collection.id}", True)])
    assert works.work(work.id).collections == (collection.id,)
    assert [found.name for found in works.collections()] == ["threes"]
    works.change("ada", "scatter", [(f"collection:{collection.id}", "kept", False)])
    assert works.collections() == []
    works.turn("ada", "undo")
    assert [found.name for found in works.collections()] == ["threes"]


def test_many_works_are_read_in_pages_and_counted_by_what_is_said_of_them(works):
    kept = works.keep_all("ada", [draft() for _ in range(25)])
    collection = works.collect("ada", "every fifth")
    fifth = [f"work:{work.id}" for work in kept[::5]]
    works.change("ada", "put-in", [(work, f"in:{collection.id}", True) for work in fifth])
    works.change("ada", "favourite", [(work, "favourite", True) for work in fifth[:3]])
    works.change("ada", "favourite", [(fifth[0], "favourite", False)])
    works.change("ada", "remove", [(fifth[1], "kept", False)])

    def ids(selection, **more):
        return [work.id for work in works.works(selection, **more)]

    inside, favourites = Selection(collection=collection.id), Selection(favourites=True)
    assert ids(inside) == [kept[number].id for number in (20, 15, 10, 0)]
    assert ids(inside, before=kept[15].id, limit=1) == [kept[10].id]
    assert ids(favourites) == [kept[10].id]
    assert ids(Selection(favourites=True, also_removed=True)) == [kept[10].id, kept[5].id]
    assert [works.count(one) for one in (Selection(), inside, favourites)] == [24, 4, 1]
    pages = ids(Selection(), limit=10)
    while older := ids(Selection(), before=pages[-1], limit=10):
        pages += older
    assert pages == [work.id for work in reversed(kept) if work.id != kept[5].id]
    works.turn("ada", "undo")
    assert works.count(inside) == 5


def test_a_work_with_an_unknown_parent_is_not_kept_by_half(works):
    with pytest.raises(RefusalError, match="no such parent"):
        works.keep("ada", draft(parents=["0123456789abcdef"]))
    assert works.works(Selection(also_removed=True)) == []


KEEPS = """
import sys
from pathlib import Path
from tvir.studio.works import Draft, Works
works = Works(Path(sys.argv[1]))
while True:
    print(works.keep("ada", Draft(origin="explored", picture=b"x" * 5000)).id, flush=True)
"""


def test_kill_minus_nine_loses_nothing_that_was_acknowledged(tmp_path):
    path = tmp_path / "works.sqlite"
    process = subprocess.Popen([sys.executable, "-c", KEEPS, str(path)], stdout=subprocess.PIPE, text=True)
    acknowledged = [process.stdout.readline().strip() for _ in range(25)]
    process.send_signal(signal.SIGKILL)
    acknowledged += process.stdout.read().split("\n")[:-1]
    process.wait()
    works = Works(path)
    kept = {work.id for work in works.works()}
    works.close()
    assert len(acknowledged) >= 25
    assert kept.issuperset(acknowledged)


def test_an_older_file_is_brought_to_the_newest_form_with_a_copy_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "works.sqlite"
    newest = migrations.MIGRATIONS
    monkeypatch.setattr(migrations, "MIGRATIONS", newest[:1])
    old = Works(path)
    work = old.keep("ada", draft())
    old.close()
    monkeypatch.setattr(migrations, "MIGRATIONS", newest)
    opened = Works(path)
    assert opened.work(work.id) == work
    opened.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(newest),)
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert "actions_of_person" in names
    assert path.with_suffix(f".before-{len(newest)}.sqlite").exists()


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "works.sqlite"
    old = Works(path)
    work = old.keep("ada", draft())
    old.close()
    broken = (*migrations.MIGRATIONS, "ALTER TABLE works ADD COLUMN more TEXT; INSERT INTO nowhere VALUES (1);")
    monkeypatch.setattr(migrations, "MIGRATIONS", broken)
    with pytest.raises(TvirError, match="cannot be read"):
        Works(path)
    monkeypatch.undo()
    opened = Works(path)
    assert opened.work(work.id) == work
    opened.close()


def test_files_of_later_versions_and_damaged_ones_are_left_alone(tmp_path):
    later = tmp_path / "later.sqlite"
    with sqlite3.connect(later) as connection:
        connection.execute("PRAGMA user_version = 999")
    with pytest.raises(TvirError, match="later version of tvir"):
        Works(later)
    damaged = tmp_path / "damaged.sqlite"
    damaged.write_bytes(b"no database at all" * 100)
    with pytest.raises(TvirError, match="move it away"):
        Works(damaged)
    assert damaged.read_bytes() == b"no database at all" * 100


def test_a_copied_studio_folder_opens_elsewhere(works, tmp_path):
    work = works.keep("ada", draft())
    works.close()
    shutil.copytree(tmp_path, tmp_path.with_name("moved"), ignore=shutil.ignore_patterns("*.lock"))
    moved = Works(tmp_path.with_name("moved") / "works.sqlite")
    assert moved.work(work.id) == work
    moved.close()
