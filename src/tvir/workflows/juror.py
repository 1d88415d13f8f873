"""A juror in a process of its own: told runs line by line, it judges them and answers.

Started as ``python -m tvir.workflows.juror '{"limit": 10000, "weights": []}'``; each line on its input is the folder
of a run of the same data, each line of its output says that the scorecard lies there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tvir.contracts.errors import TvirError
from tvir.contracts.metric import Scorecard
from tvir.contracts.run import RunFolder, write_atomically
from tvir.evaluation.scorecard import Judge, from_json, to_json
from tvir.workflows.evaluate import judge_run
from tvir.workflows.run import Run


class Juror:
    """A process that judges runs of one dataset, one after the other.

    Args:
        limit: The most real and generated examples that are compared.
        weights: Files of pretrained weights to look through as well.
        threads: That it may use.
    """

    def __init__(self, limit: int, weights: Sequence[Path], threads: int) -> None:
        # A file: warnings would fill a pipe that nobody reads.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed when dismissed
        told = json.dumps({"limit": limit, "weights": [str(path.resolve()) for path in weights]})
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tvir.workflows.juror", told],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            # A session of its own: who interrupts the comparison is not answered by two tracebacks.
            start_new_session=True,
        )

    def judge(self, path: Path) -> Scorecard:
        """The scorecard of a run, which is also written into its folder.

        Raises:
            TvirError: The process has ended; what it said last is the reason.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(path.resolve(), file=self._process.stdin, flush=True)
            answered = self._process.stdout.readline()
        except BrokenPipeError:
            answered = ""
        if not answered:
            raise TvirError(f"{path} could not be judged: {self._last_words()}")
        return from_json(RunFolder(path).scorecard_path.read_bytes())

    def dismiss(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def _last_words(self) -> str:
        status = self._process.wait()
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"its judge ended with {status}"


def main(told: str) -> None:
    """Judge what is asked for until the input ends."""
    asked = json.loads(told)
    judge, dataset = None, None
    for line in sys.stdin:
        run = Run(line.rstrip("\n"))
        if judge is None or dataset is None:
            dataset = run.dataset()
            judge = Judge(dataset, limit=asked["limit"], weights=[Path(path) for path in asked["weights"]])
        write_atomically(run.folder.scorecard_path, to_json(judge_run(judge, run, dataset).card))
        sys.stdout.write("judged\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
