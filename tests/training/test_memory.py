import subprocess
import sys

import pytest

from tvir.training.memory import peak_memory


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says where a program's own peak begins")
def test_a_process_does_not_inherit_the_peak_of_whoever_started_it():
    ballast = bytearray(900 * 2**20)
    ballast[:: 2**12] = b"x" * len(ballast[:: 2**12])
    command = [sys.executable, "-c", "from tvir.training.memory import peak_memory; print(peak_memory())"]
    child = int(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    assert child < 800 * 2**20 < (peak_memory() or 0)
