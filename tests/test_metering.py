from __future__ import annotations

import pytest

from facesearch.errors import BudgetError, CollectionNotFoundError
from facesearch.rekognition import Rekognition


class Allowance:
    """A budget of so many calls."""

    def __init__(self, calls):
        self.left = calls

    def take(self, operation):
        if not self.left:
            raise BudgetError(f"no more {operation}")
        self.left -= 1

    def give_back(self, operation):
        self.left += 1


def test_answered_calls_are_counted_once_and_refused_ones_are_not(rekognition):
    gateway = Rekognition(rekognition)
    gateway.create_collection("staff")
    for _ in range(2):
        gateway.describe_collection("staff")
    with pytest.raises(CollectionNotFoundError):
        gateway.describe_collection("nobody")
    assert gateway.meter.take() == {"CreateCollection": 1, "DescribeCollection": 2}
    assert gateway.meter.take() == {}


def test_a_call_beyond_the_budget_is_not_made_and_a_refused_one_costs_nothing(rekognition):
    gateway = Rekognition(rekognition)
    gateway.create_collection("staff")
    gateway.meter.take()
    gateway.meter.budget = Allowance(1)
    with pytest.raises(CollectionNotFoundError):
        gateway.describe_collection("nobody")
    gateway.describe_collection("staff")
    with pytest.raises(BudgetError, match="no more DescribeCollection"):
        gateway.describe_collection("staff")
    assert gateway.meter.take() == {"DescribeCollection": 1}
