"""Budgets are read as people write them and refuse what is none."""

import pytest

from tvir.contracts.budget import Budget, Flops, Samples, Seconds, Spent, Steps
from tvir.contracts.errors import UsageError


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("90s", Seconds(90)),
        ("2m", Seconds(120)),
        ("2min", Seconds(120)),
        ("1.5h", Seconds(5400)),
        ("5000steps", Steps(5000)),
        ("1step", Steps(1)),
        ("20ksteps", Steps(20_000)),
        ("1Msamples", Samples(1_000_000)),
        ("0.5ksamples", Samples(500)),
        ("50Tflops", Flops(5e13)),
        ("2.5 Gflops", Flops(2.5e9)),
        ("300flops", Flops(300)),
    ],
)
def test_a_budget_is_read_and_its_text_reads_back(text, budget):
    assert Budget.parse(text) == budget
    assert Budget.parse(str(budget)) == budget


@pytest.mark.parametrize(
    "text", ["", "5", "-3s", "0s", "0steps", "5parsecs", "s", "1e9s", "nan", "5 M", "3ks", "1.5Xflops"]
)
def test_what_is_no_budget_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match="2m"):
        Budget.parse(text)


def test_a_fraction_counts_only_the_budgeted_quantity():
    spent = Spent(seconds=30, steps=10, samples=1280, flops=3e9)
    assert Seconds(60).fraction(spent) == 0.5
    assert Steps(40).fraction(spent) == 0.25
    assert Samples(12_800).fraction(spent) == 0.1
    assert Flops(4e9).fraction(spent) == 0.75
