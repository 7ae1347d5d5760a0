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


def test_garbage_is_looked_for_more_often_once_everything_is_loaded():
    code = (
        "import gc, sys\nsys.argv = ['facesearch', '--version']\nfrom facesearch.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(gc.get_threshold()[0])\ngc.collect()\nprint(gc.get_threshold()[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["200000", "20000"]
