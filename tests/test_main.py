"""The program as a process of its own."""

import subprocess
import sys

AT_THE_END = """
import atexit, gc, sys
atexit.register(lambda: print(gc.get_freeze_count() > 10_000, gc.get_threshold()[0] > 700, file=sys.stderr))
sys.argv = ["facesearch", "person", "list", "-o", "json"]
from facesearch.__main__ import main
main()
"""


def test_what_a_command_has_loaded_is_not_looked_through_at_its_end():
    done = subprocess.run([sys.executable, "-c", AT_THE_END], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "True True"
    assert '"people": []' in done.stdout


def test_the_records_are_read_without_sqlalchemys_mapping_which_takes_long_to_load():
    code = (
        "import sys\nfrom facesearch import FaceSearch\nwith FaceSearch.open() as fs:\n    list(fs.people())\n"
        "print('sqlalchemy' in sys.modules, 'sqlalchemy.orm' in sys.modules)"
    )
    for _ in range(2):  # the first one makes the tables, by Alembic
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_garbage_is_looked_for_more_often_once_everything_is_loaded():
    code = (
        "import gc, sys\nsys.argv = ['facesearch', '--version']\nfrom facesearch.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(gc.get_threshold()[0])\ngc.collect()\nprint(gc.get_threshold()[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["200000", "20000"]
