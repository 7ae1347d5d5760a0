from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

import pytest

from facesearch.domain import Usage
from facesearch.errors import BudgetError, ConfigurationError
from facesearch.settings import Settings
from facesearch.workflows.costing import Budget, parse, priced

TABLE = """
as_of = 2026-01-02
source = "a page"
face_month = "0.5"
[[groups]]
name = "one"
operations = ["IndexFaces", "SearchFacesByImage"]
tiers = [{ calls = 10, price = "1" }, { calls = 5, price = "0.1" }, { price = "0.01" }]
[[groups]]
name = "two"
operations = ["DetectFaces"]
tiers = [{ price = "2" }]
"""


@pytest.fixture
def prices():
    return parse(TABLE, "here")


@pytest.mark.parametrize(
    ("calls", "already", "cost"),
    [
        (0, 0, "0"),
        (10, 0, "10"),
        (12, 0, "10.2"),
        (16, 0, "10.51"),
        (2, 9, "1.1"),
        (7, 9, "1.51"),
        (3, 100, "0.03"),
    ],
)
def test_calls_cost_what_their_tier_says_after_those_of_the_month(prices, calls, already, cost):
    assert prices.cost({"IndexFaces": calls}, {"SearchFacesByImage": already}) == Decimal(cost)


def test_each_group_has_tiers_of_its_own_and_other_calls_are_free(prices):
    assert prices.cost({"IndexFaces": 11, "DetectFaces": 3, "ListFaces": 1000}) == Decimal("16.1")
    assert prices.billed({"IndexFaces": 1, "ListFaces": 2}) == {"IndexFaces": 1}


def test_usage_of_one_group_climbs_its_tiers_together_and_each_month_anew(prices):
    january, february = date(2026, 1, 1), date(2026, 2, 1)
    usages = [
        Usage(january, "aws:us-east-1", "IndexFaces", 8),
        Usage(january, "aws:us-east-1", "ListFaces", 8),
        Usage(january, "aws:us-east-1", "SearchFacesByImage", 4),
        Usage(january, "aws:eu-west-1", "IndexFaces", 1),
        Usage(february, "aws:us-east-1", "IndexFaces", 1),
    ]
    costs = [usage.cost for usage in priced(usages, prices)]
    assert costs == [Decimal(8), None, Decimal("2.2"), Decimal(1), Decimal(1)]


def test_a_budget_refuses_the_call_that_would_pass_it_and_no_other(prices):
    budget = Budget(Decimal("10.15"), prices, {})
    for _ in range(11):
        budget.take("IndexFaces")
    budget.take("ListFaces")
    with pytest.raises(
        BudgetError, match=r"another IndexFaces would bring this run to \$10\.2, over .* \$10\.15"
    ):
        budget.take("IndexFaces")
    budget.give_back("IndexFaces")
    budget.take("IndexFaces")
    assert budget.spent == Decimal("10.1")


def test_threads_together_never_pass_a_budget(prices):
    budget = Budget(Decimal(10), prices, {})

    def ask(_):
        try:
            budget.take("DetectFaces")
        except BudgetError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        taken = Counter(pool.map(ask, range(200)))
    assert taken[True] == 5


def test_the_shipped_prices_can_be_read_and_know_what_is_billed():
    path = Settings().prices
    shipped = parse(path.read_text(encoding="utf-8"), str(path))
    assert shipped.cost({"IndexFaces": 600_000}) == Decimal(600)
    assert shipped.cost({"IndexFaces": 2_000_000}) == Decimal(1800)
    assert shipped.face_month * 1_000_000 == Decimal(10)
    assert shipped.billed(dict.fromkeys(("ListFaces", "DeleteFaces", "CreateCollection"), 1)) == {}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("as_of = ", "cannot be read"),
        (TABLE.replace("as_of = 2026-01-02", ""), "lack 'as_of'"),
        (TABLE.replace("2026-01-02", "'soon'"), "as_of must be a day such as 2026-10-07, not 'soon'"),
        (TABLE.replace('"0.5"', '"much"'), "'much' is not an amount of money"),
        (TABLE.replace('"0.5"', '"-1"'), "'-1' is not an amount of money"),
        (TABLE.replace('"0.5"', '"nan"'), "'nan' is not an amount of money"),
        (TABLE.replace("calls = 10", "calls = 0"), "calls must be a whole number of 1 or more, not 0"),
        (TABLE.replace("calls = 10, ", ""), "the last tier of one, and no other, must be without `calls`"),
        (TABLE.replace('[{ price = "2" }]', "[]"), "the last tier of two"),
        (TABLE.replace('[{ price = "2" }]', "3"), "cannot be read"),
    ],
)
def test_a_wrong_table_of_prices_is_refused_by_its_name(wrong, said):
    with pytest.raises(ConfigurationError, match=r"the prices in my\.toml") as caught:
        parse(wrong, "my.toml")
    assert said in str(caught.value)
