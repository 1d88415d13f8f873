import threading
from concurrent.futures import wait

import numpy as np
import pytest

from tvir.studio.making import Point
from tvir.studio.refusal import RefusalError
from tvir.studio.workers import Worker


class Slow:
    """A maker whose pictures are its points' numbers, and that waits to be let on."""

    def __init__(self):
        self.go = threading.Event()
        self.begun = threading.Event()
        self.batches = []

    def settle(self):
        pass

    def rows(self, points):
        self.begun.set()
        assert self.go.wait(10)
        self.batches.append(len(points))
        return np.array([[point.seed] for point in points])


@pytest.fixture
def slow():
    return Slow()


@pytest.fixture
def worker(slow):
    made = Worker(slow, limit=3)
    yield made
    slow.go.set()
    made.close()


def test_the_newest_value_of_each_person_wins_and_all_are_made_at_once(slow, worker):
    first = worker.show("somebody", Point(seed=0))
    slow.begun.wait(10)
    late = [worker.show("somebody", Point(seed=seed)) for seed in (1, 2, 3)]
    other = worker.show("other", Point(seed=9))
    slow.go.set()
    wait([first, *late, other], timeout=10)
    assert first.result() == [0]
    assert [future.result() for future in late[:2]] == [None, None]
    assert late[2].result() == [3]
    assert other.result() == [9]
    assert slow.batches == [1, 2]


def test_people_who_leave_before_their_frame_is_made_take_nobody_elses_away(slow, worker):
    first = worker.show("first", Point(seed=0))
    slow.begun.wait(10)
    left, moved = worker.show("left", Point(seed=1)), worker.show("moved", Point(seed=2))
    assert left.cancel()
    assert moved.cancel()
    newer, stays = worker.show("moved", Point(seed=3)), worker.show("stays", Point(seed=4))
    slow.go.set()
    wait([first, newer, stays], timeout=10)
    assert (first.result(0), newer.result(0), stays.result(0)) == ([0], [3], [4])
    assert slow.batches == [1, 2]


def test_people_who_leave_while_their_frame_is_made_do_not_stop_the_worker(slow, worker):
    first = worker.show("first", Point(seed=0))
    slow.begun.wait(10)
    assert not first.cancel()
    slow.go.set()
    assert worker.show("next", Point(seed=1)).result(10) == [1]


def test_a_full_queue_says_busy_instead_of_growing(slow, worker):
    worker.show("first", Point(seed=0))
    slow.begun.wait(10)
    for number in range(3):
        worker.show(f"person {number}", Point(seed=number))
    with pytest.raises(RefusalError, match="too much to do") as refused:
        worker.show("one more", Point(seed=1))
    assert refused.value.status == 503


def test_long_walks_leave_room_for_frames(slow, worker):
    slow.go.set()
    shown = []

    def steps():
        for number in range(3):
            shown.append(worker.show("somebody", Point(seed=number)))
            yield number

    walk = worker.walk(steps())
    assert walk.finished.wait(10)
    assert walk.newest == 2
    assert [future.result(10) for future in shown] == [[0], [1], [2]]


def test_a_walk_that_fails_says_so_and_one_that_is_stopped_ends(slow, worker):
    slow.go.set()

    def fails():
        yield 1
        raise ValueError("no more")

    walk = worker.walk(fails())
    assert walk.finished.wait(10)
    assert "no more" in str(walk.failure)

    def endless():
        while True:
            yield 1

    walk = worker.walk(endless())
    walk.stop()
    assert walk.finished.wait(10)
    assert worker.do(lambda: 5) == 5


def test_what_goes_wrong_in_a_task_is_told_to_whoever_waits(slow, worker):
    with pytest.raises(ZeroDivisionError):
        worker.do(lambda: 1 // 0)
    assert worker.do(lambda: "still working") == "still working"
