"""The ``tvir`` command on a leash: it ends, and saves what it does, when whoever has started it is gone.

``python -m tvir.cli.leash train ...`` does what ``tvir train ...`` does. The leash is the standard input: nothing is
ever written into it, and the operating system closes it when the studio ends, even by ``kill -9``. That counts as one
SIGTERM, after which a training saves and ends; a second one would end it at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from tvir.cli.main import main


def _hold(leash: int) -> None:
    while os.read(leash, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    held = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    threading.Thread(target=_hold, args=(held,), name="leash", daemon=True).start()
    main(sys.argv[1:])
