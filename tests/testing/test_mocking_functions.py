"""mock_rekognition as a decorator of functions, fixtures, coroutines and classes."""

import asyncio
import inspect
import unittest

import pytest

from facesearch.testing import mock_rekognition

from .conftest import collections, new_client

pytestmark = pytest.mark.usefixtures("no_network", "nothing_stays_replaced")


@mock_rekognition
def test_a_decorated_function_still_gets_its_fixtures(tmp_path, amara):
    assert tmp_path.is_dir() and len(amara) == 2
    assert collections() == []


@mock_rekognition()
def test_a_decorated_function_may_have_parameters_of_its_own(answer=42):
    assert answer == 42
    assert collections() == []


def test_each_call_of_a_decorated_function_starts_afresh():
    @mock_rekognition
    def run():
        new_client().create_collection(CollectionId="staff")

    run()
    run()


def test_a_coroutine_function_stays_one():
    @mock_rekognition()
    async def run():
        await asyncio.sleep(0)
        return collections()

    assert inspect.iscoroutinefunction(run)
    assert asyncio.run(run()) == []


@pytest.fixture
@mock_rekognition()
def client_of_a_fixture():
    client = new_client()
    client.create_collection(CollectionId="of-the-fixture")
    yield client
    assert collections(client) == ["of-the-fixture", "of-the-test"]


def test_a_decorated_fixture_answers_until_it_ends(client_of_a_fixture):
    client_of_a_fixture.create_collection(CollectionId="of-the-test")


def test_a_decorated_async_generator_answers_until_it_ends():
    @mock_rekognition()
    async def items():
        yield collections()
        yield collections()

    async def run():
        return [item async for item in items()]

    assert asyncio.run(run()) == [[], []]


@mock_rekognition
class TestOfAnyClass:
    helper = staticmethod(collections)

    def test_each_method_has_a_fresh_engine(self):
        new_client().create_collection(CollectionId="staff")

    def test_and_so_has_the_next(self):
        assert self.helper() == []


@mock_rekognition()
class UnitTests(unittest.TestCase):
    def setUp(self):
        self.client = new_client()
        self.client.create_collection(CollectionId="of-set-up")
        self.addCleanup(lambda: self.assertEqual(collections(self.client)[0], "of-set-up"))

    def tearDown(self):
        self.client.delete_collection(CollectionId="of-the-test")

    def test_set_up_test_tear_down_and_clean_ups_meet_one_engine(self):
        self.client.create_collection(CollectionId="of-the-test")
        self.assertEqual(collections(self.client), ["of-set-up", "of-the-test"])

    def test_the_next_test_meets_another(self):
        self.assertEqual(collections(self.client), ["of-set-up"])
        self.client.create_collection(CollectionId="of-the-test")


class MoreUnitTests(UnitTests):
    def test_a_subclass_inherits_the_mock(self):
        self.client.create_collection(CollectionId="of-the-test")


class AsyncUnitTests(unittest.IsolatedAsyncioTestCase):
    @mock_rekognition()
    async def test_a_method_may_be_a_coroutine(self):
        self.assertEqual(collections(), [])


def test_the_debugger_of_unittest_meets_the_mock_too():
    UnitTests("test_the_next_test_meets_another").debug()
