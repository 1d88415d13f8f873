"""Computing once what depends on one set of points alone: real radii, covariances, kernel sums."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar
from weakref import WeakKeyDictionary

from tvir.contracts.metric import Points

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class RowByRow(Protocol):
    """One result per row, of which some can be taken: an array, a tensor, a bundle of them."""

    def __getitem__(self, indices: Any, /) -> Any: ...


Rows = TypeVar("Rows", bound=RowByRow)


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


def remembered_by_row(
    function: Callable[Concatenate[Points, Arguments], Rows],
) -> Callable[Concatenate[Points, Arguments], Rows]:
    """As ``remembered``, for one result per row that depends on that row alone.

    The results of a subset are taken from those of the points it was taken from, so that blocks of a set cost
    nothing more.
    """
    of_whole = remembered(function)

    @functools.wraps(function)
    def remembering(points: Points, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Rows:
        whole = points.origin and points.origin.points()
        if points.origin is None or whole is None:
            return of_whole(points, *args, **kwargs)
        return remembering(whole, *args, **kwargs)[points.origin.indices]

    return remembering
