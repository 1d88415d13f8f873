"""Published networks for images, one file each. Importing this package makes all of them known."""

from __future__ import annotations

import importlib
import sys

from tvir.contracts.discovery import walk_modules

for _name in walk_modules(sys.modules[__name__]):
    importlib.import_module(_name)
