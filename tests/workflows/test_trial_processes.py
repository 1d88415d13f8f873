import json

from tvir.contracts.run import RunFolder
from tvir.workflows.trials import Cores, TrialProgress, _Tail


def _line(fraction, **other):
    line = {"stage": "s", "fraction": fraction, "losses": {"a/b": 1.5}, "samples_per_second": 10.0, "seconds": 2.0}
    return json.dumps({**line, **other}) + "\n"


def test_cores_are_shared_out_evenly_and_never_more_trials_start_than_there_are(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert Cores.share(9) == Cores(jobs=8, threads=1)
    assert Cores.share(3) == Cores(jobs=3, threads=2)
    assert Cores.share(9, jobs=2) == Cores(jobs=2, threads=4)
    assert Cores.share(0) == Cores(jobs=1, threads=8)


def test_a_look_over_the_shoulder_sees_the_last_whole_line_only_once(tmp_path):
    folder = RunFolder(tmp_path)
    tail = _Tail(folder)
    assert tail.latest() is None
    folder.metrics_path.write_text(_line(0.1) + _line(0.2) + _line(0.3)[:20])
    seen = tail.latest()
    assert isinstance(seen, TrialProgress)
    assert seen.fraction == 0.2
    assert tail.latest() is None
    folder.metrics_path.write_text(_line(0.1) + _line(0.2) + _line(0.3))
    seen = tail.latest()
    assert seen is not None
    assert seen.fraction == 0.3


def test_a_log_cut_back_by_a_resumed_run_is_read_again(tmp_path):
    folder = RunFolder(tmp_path)
    tail = _Tail(folder)
    folder.metrics_path.write_text(_line(0.1) + _line(0.2))
    tail.latest()
    folder.metrics_path.write_text(_line(0.1))
    seen = tail.latest()
    assert seen is not None
    assert seen.fraction == 0.1


def test_lines_that_are_no_steps_are_passed_over(tmp_path):
    folder = RunFolder(tmp_path)
    folder.metrics_path.write_text(_line(0.4) + "[]\n{}\nnull\n" + _line(0.5, losses=3))
    seen = _Tail(folder).latest()
    assert seen is not None
    assert seen.fraction == 0.4


def test_time_left_follows_from_the_share_that_is_spent():
    assert TrialProgress(fraction=0.25, seconds=10.0).seconds_left == 30.0
    assert TrialProgress(fraction=0.0, seconds=10.0).seconds_left is None
