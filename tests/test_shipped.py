import pytest

from facesearch.shipped import shipped


@pytest.mark.parametrize(("name", "file"), [("migrations", "env.py"), ("sample_images", "labels.json")])
def test_what_comes_with_the_program_is_found(name, file):
    assert (shipped(name) / file).is_file()
