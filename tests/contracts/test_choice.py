"""Choices survive the trip to text and back, and refuse what they do not know."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated

import pytest
from annotated_types import Ge
from pydantic import TypeAdapter

from tvir.contracts.choice import Choice
from tvir.contracts.errors import UsageError


class Shape(Choice):
    @abstractmethod
    def area(self) -> float: ...


@dataclass(frozen=True, kw_only=True)
class Point(Shape):
    name = "none"

    def area(self) -> float:
        return 0.0


@dataclass(frozen=True, kw_only=True)
class WideBox(Shape):
    width: Annotated[float, Ge(0)] = 1.0
    copies: int = 1

    def area(self) -> float:
        return self.width * self.copies


@dataclass(frozen=True, kw_only=True)
class Drawing:
    shape: Shape = Point()


@pytest.mark.parametrize("shape", [Point(), WideBox(), WideBox(width=2.5), WideBox(width=0.1, copies=3)])
def test_text_reads_back_as_the_same_choice(shape):
    assert Shape.parse(str(shape)) == shape


def test_alternatives_are_found_by_name_without_a_list():
    assert Shape.alternatives() == {"none": Point, "wide-box": WideBox}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("circle", "none, wide-box"),
        ("wide-box:height=3", "copies, width"),
        ("wide-box:width=-1", "greater than or equal to 0"),
        ("wide-box:width=x", "width"),
        ("os.system", "none, wide-box"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(text, message):
    with pytest.raises(UsageError, match=message):
        Shape.parse(text)


def test_a_choice_inside_settings_becomes_text_in_json_and_comes_back():
    adapter = TypeAdapter(Drawing)
    drawing = Drawing(shape=WideBox(width=3.0))
    assert adapter.dump_python(drawing, mode="json") == {"shape": "wide-box:width=3.0"}
    assert adapter.validate_json(adapter.dump_json(drawing)) == drawing
