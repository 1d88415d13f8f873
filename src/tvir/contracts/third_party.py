"""Importing packages that may be missing, or that import torchvision, which has no build for every torch."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType

import torch

from tvir.contracts.errors import TvirError

_OPERATORS = ("nms", "qnms")
_declared: list[torch.library.Library] = []
"""Kept alive: a library that is collected takes its operators along."""


def need(*packages: str) -> None:
    """Notice what is not installed without importing what is: some packages take seconds.

    Raises:
        ModuleNotFoundError: One of the packages is missing.
    """
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise ModuleNotFoundError(f"there is no package {package}", name=package)


def import_beside_torchvision(name: str) -> ModuleType:
    """Import a package that imports torchvision where there is one.

    Where torchvision's compiled part does not fit this torch, its two operators are declared without being
    implemented: nothing here calls them.

    Raises:
        TvirError: The package or torchvision is missing or cannot be imported; says what to run.
    """
    try:
        _ready_torchvision()
        return importlib.import_module(name)
    except (ImportError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        package = name.partition(".")[0].replace("_", "-")
        raise TvirError(
            f"{name} cannot be imported ({reason}); install it with: "
            f"pip install --no-deps torchvision==0.28.0 && pip install --no-deps {package}"
        ) from None


def _ready_torchvision() -> None:
    if importlib.util.find_spec("torchvision") is None:
        return
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        # What was half imported must not be taken for the whole.
        for module in [module for module in sys.modules if module.partition(".")[0] == "torchvision"]:
            del sys.modules[module]
        if not _declared:
            library = torch.library.Library("torchvision", "FRAGMENT")
            for operator in _OPERATORS:
                library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            _declared.append(library)
        importlib.import_module("torchvision")
