"""Computing once what depends on one set of points alone: real radii, covariances, kernel sums."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from tvir.contracts.metric import Points

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def remembered(
    function: Callable[Concatenate[Points, Arguments], Result],
) -> Callable[Concatenate[Points, Arguments], Result]:
    """Remember the results of a function of points and hashable arguments for as long as the points live.

    Example:
        >>> import numpy as np
        >>> @remembered
        ... def count(points: Points) -> int:
        ...     print("counting")
        ...     return len(points)
        >>> points = Points(rows=np.zeros((3, 2)), features={})
        >>> count(points), count(points)
        counting
        (3, 3)
    """
    known: WeakKeyDictionary[Points, dict[object, Result]] = WeakKeyDictionary()

    @functools.wraps(function)
    def remembering(points: Points, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        results = known.setdefault(points, {})
        key = (args, tuple(sorted(kwargs.items())))
        if key not in results:
            results[key] = function(points, *args, **kwargs)
        return results[key]

    return remembering
