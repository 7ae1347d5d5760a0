"""Text from anywhere, on one line and with everything in it to be seen."""

import pytest

from facesearch.plain import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("Zoë · 山田 太郎 👩‍🚀", "Zoë · 山田 太郎 👩‍🚀"),
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("two\nlines\tand\rmore", r"two\nlines\tand\rmore"),
        ("c1 \x9b31m", r"c1 \x9b31m"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        ("line\u2028break", r"line\u2028break"),
        ("\udcff.jpg", r"\udcff.jpg"),
        ("", ""),
    ],
)
def test_what_a_terminal_would_obey_is_written_as_an_escape(text, shown):
    assert plain(text) == shown
