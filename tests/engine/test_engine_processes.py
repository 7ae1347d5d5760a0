"""The engine in processes of its own: the same answers, and nothing lost when one of them is."""

import base64
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pytest

from facesearch.engine.errors import RekognitionError
from facesearch.engine.processes import Processes

# What starts one: it leaves its number behind, then does what the program's own processes do.
START = """
import os, sys
with open(sys.argv[1], "a") as numbers:
    print(os.getpid(), file=numbers)
from facesearch.bootstrap import answer_all
answer_all()
"""


class RefusedError(Exception):
    """What could not be opened."""


@pytest.fixture
def numbers(tmp_path):
    """The processes that were started, by their numbers."""
    path = tmp_path / "numbers"
    path.touch()
    return lambda: [int(number) for number in path.read_text().split()]


@pytest.fixture
def make(new_engine, tmp_path, vision_cache):
    """Makes processes over one store, and closes them at the end."""
    made = []

    def make(most=2, store=tmp_path / "engine.db", command=START, python=sys.executable):
        opening = {
            "store": str(store),
            "models": str(tmp_path / "models"),
            "cache": str(vision_cache),
            "detail": "auto",
        }
        command = [python, "-c", command, str(tmp_path / "numbers")]
        made.append(Processes(partial(new_engine, store), command, os.environ, opening, most, RefusedError))
        return made[-1]

    yield make
    for processes in made:
        processes.close()


def ask(engine, operation, image=None, **parameters):
    """The status and the result of one request."""
    headers = {
        "X-Amz-Target": f"RekognitionService.{operation}",
        "Content-Type": "application/x-amz-json-1.1",
    }
    if image:
        parameters["Image"] = {"Bytes": base64.b64encode(image).decode()}
    response = engine.handle(headers, json.dumps(parameters).encode())
    return response.status, json.loads(response.body)


def runs(number):
    with suppress(ProcessLookupError):
        os.kill(number, 0)
        return True
    return False


def wait_until(true, seconds=20):
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert true()


def test_processes_answer_as_the_engine_does(make, new_engine, photos, tmp_path):
    processes, engine = make(), new_engine(tmp_path / "engine.db")
    assert ask(processes, "CreateCollection", CollectionId="staff")[0] == 200
    for name in ("eileen", "grace"):
        status, stored = ask(
            processes, "IndexFaces", photos[name], CollectionId="staff", ExternalImageId=name
        )
        assert (status, len(stored["FaceRecords"])) == (200, 1)
    searched = {"CollectionId": "staff", "FaceMatchThreshold": 0}
    for operation, parameters in [
        ("DescribeCollection", {"CollectionId": "staff"}),
        ("ListFaces", {"CollectionId": "staff"}),
        ("DetectFaces", {"image": photos["both"], "Attributes": ["ALL"]}),
        ("SearchFacesByImage", {"image": photos["both"], **searched}),
    ]:
        assert ask(processes, operation, **parameters) == ask(engine, operation, **parameters)
    each = processes.search_each_face("staff", photos["both"], 0, None)
    assert each == engine.search_each_face("staff", photos["both"], 0, None)
    assert [face["FaceMatches"][0]["Face"]["ExternalImageId"] for face in each] == ["grace", "eileen"]


def test_what_an_engine_refuses_processes_refuse(make, photos):
    processes = make()
    status, refusal = ask(processes, "SearchFacesByImage", photos["eileen"], CollectionId="nobody")
    assert (status, refusal["__type"]) == (400, "ResourceNotFoundException")
    status, refusal = ask(processes, "DetectFaces", b"no photo")
    assert (status, refusal["__type"]) == (400, "InvalidImageFormatException")
    with pytest.raises(
        RekognitionError, match="ResourceNotFoundException: The collection id: nobody does not"
    ):
        processes.search_each_face("nobody", photos["eileen"], 80, None)
    assert ask(processes, "DetectFaces", photos["eileen"])[0] == 200


def test_until_there_is_a_photo_there_is_no_process(make, photos, numbers):
    processes = make()
    assert ask(processes, "CreateCollection", CollectionId="staff")[0] == 200
    assert ask(processes, "NoSuchOperation")[1]["__type"] == "UnknownOperationException"
    assert numbers() == []
    assert len(ask(processes, "DetectFaces", photos["eileen"])[1]["FaceDetails"]) == 1
    assert ask(processes, "ListCollections")[1]["CollectionIds"] == ["staff"]
    assert len(numbers()) == 1


def test_photos_that_come_together_are_looked_at_by_as_many_processes_as_there_may_be(make, photos, numbers):
    processes = make(most=2)
    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(lambda name: ask(processes, "DetectFaces", photos[name]), ["eileen"] * 10))
    assert [status for status, _ in answers] == [200] * 10
    assert len(numbers()) == 2


def test_photos_one_after_the_other_take_one_process(make, photos, numbers):
    processes = make(most=2)
    for _ in range(3):
        assert ask(processes, "DetectFaces", photos["eileen"])[0] == 200
    assert len(numbers()) == 1


def test_a_process_that_is_killed_takes_one_answer_with_it(make, photos, numbers):
    processes = make()
    assert ask(processes, "DetectFaces", photos["eileen"])[0] == 200
    (number,) = numbers()
    os.kill(number, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as thread:
        lost = thread.submit(ask, processes, "DetectFaces", photos["grace"])
        wait_until(lambda: lost.running() and not processes._idle)
        os.kill(number, signal.SIGKILL)
        status, refusal = lost.result()
    assert (status, refusal["__type"]) == (500, "InternalServerError")
    assert refusal["Message"] == "the engine's process for this photo ended (killed by signal 9)"
    assert ask(processes, "DetectFaces", photos["grace"])[0] == 200
    assert len(numbers()) == 2


def test_a_process_that_is_killed_while_nothing_is_asked_of_it_is_not_missed(make, photos, numbers):
    processes = make()
    assert ask(processes, "DetectFaces", photos["eileen"])[0] == 200
    os.kill(numbers()[0], signal.SIGKILL)
    wait_until(lambda: not processes._idle[0].runs)
    assert ask(processes, "DetectFaces", photos["eileen"])[0] == 200


def test_a_process_that_ends_before_it_can_answer_is_told(make, photos):
    processes = make(command="raise SystemExit(3)")
    status, refusal = ask(processes, "DetectFaces", photos["eileen"])
    assert (status, refusal["Message"]) == (500, "the engine's process for this photo ended (exit code 3)")
    with pytest.raises(RekognitionError, match="exit code 3"):
        processes.search_each_face("staff", photos["eileen"], 80, None)


def test_a_store_that_cannot_be_opened_is_told_as_a_refusal(make, photos, tmp_path):
    (tmp_path / "notes.txt").write_text("no store")
    with pytest.raises(RefusedError, match=r"notes\.txt cannot be used as the engine's store"):
        ask(make(store=tmp_path / "notes.txt"), "DetectFaces", photos["eileen"])


def test_a_process_that_cannot_be_started_is_told_as_a_refusal(make, photos):
    processes = make(python="/nowhere/python")
    with pytest.raises(
        RefusedError, match=r"no process can be started to look at photos: No such file.*--jobs 1"
    ):
        ask(processes, "DetectFaces", photos["eileen"])


def test_where_no_further_process_can_be_started_those_that_run_do_all(make, photos, numbers, tmp_path):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    processes = make(most=4, python=str(python))
    assert ask(processes, "DetectFaces", photos["eileen"])[0] == 200
    python.unlink()
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda name: ask(processes, "DetectFaces", photos[name]), ["eileen"] * 8))
    assert [status for status, _ in answers] == [200] * 8
    assert len(numbers()) == 1


def test_closing_ends_the_processes_whether_they_were_asked_or_not(make, photos, numbers):
    asked, started = make(), make()
    assert ask(asked, "DetectFaces", photos["eileen"])[0] == 200
    started.start()
    started.start()
    wait_until(lambda: len(numbers()) == 2)
    for processes in (asked, started):
        processes.close()
    assert not any(runs(number) for number in numbers())
    with pytest.raises(RuntimeError, match="the engine is closed"):
        ask(asked, "DetectFaces", photos["eileen"])


def test_ctrl_c_on_the_terminal_is_not_for_the_processes(make, photos, numbers):
    processes = make()
    assert ask(processes, "DetectFaces", photos["eileen"])[0] == 200
    (number,) = numbers()
    assert os.getpgid(number) != os.getpgid(0)


def test_who_was_interrupted_while_waiting_never_gets_that_answer_later(make, photos, numbers):
    processes = make()
    assert ask(processes, "DetectFaces", photos["eileen"])[0] == 200
    (number,) = numbers()
    os.kill(number, signal.SIGSTOP)

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            ask(processes, "DetectFaces", photos["nobody"])
    finally:
        signal.signal(signal.SIGALRM, before)
    os.kill(number, signal.SIGCONT)
    assert len(ask(processes, "DetectFaces", photos["both"])[1]["FaceDetails"]) == 2
    wait_until(lambda: not processes._ending[0].runs)


def test_both_sides_of_a_fork_have_processes_of_their_own(tmp_path, numbers, photos, vision_cache):
    script = """
        import os, signal, sys
        from facesearch.engine.processes import Processes
        start, numbers, store, cache, photo = sys.argv[1:]
        opening = {"store": store, "models": store, "cache": cache, "detail": "auto"}
        processes = Processes(None, [sys.executable, "-c", start, numbers], os.environ, opening, 2, RuntimeError)
        headers = {"X-Amz-Target": "RekognitionService.DetectFaces", "Content-Type": "application/json"}
        answers = [processes.handle(headers, open(photo, "rb").read()).body]
        idle = os.fork()
        if not idle:
            signal.pause()
        child = os.fork()
        answers += [processes.handle(headers, open(photo, "rb").read()).body for _ in range(3)]
        processes.close()
        assert all(b"BoundingBox" in answer for answer in answers)
        if child:
            assert os.waitpid(child, 0)[1] == 0
            os.kill(idle, signal.SIGKILL)
    """
    (tmp_path / "request").write_text(
        json.dumps({"Image": {"Bytes": base64.b64encode(photos["eileen"]).decode()}})
    )
    command = [
        sys.executable,
        "-c",
        textwrap.dedent(script),
        START,
        tmp_path / "numbers",
        tmp_path / "engine.db",
    ]
    subprocess.run([*command, vision_cache, tmp_path / "request"], check=True, timeout=60)
    assert len(numbers()) == 2
    assert not any(runs(number) for number in numbers())


def test_processes_end_with_the_one_who_asks(tmp_path, numbers):
    script = """
        import os, sys, time
        from facesearch.engine.processes import Processes
        start, numbers, store = sys.argv[1:]
        opening = {"store": store, "models": store, "cache": store, "detail": "auto"}
        Processes(None, [sys.executable, "-c", start, numbers], os.environ, opening, 2, RuntimeError).start()
        while not os.path.getsize(numbers):
            time.sleep(0.01)
        os.kill(os.getpid(), 9)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), START]
    subprocess.run([*command, tmp_path / "numbers", tmp_path / "engine.db"], check=False)
    (number,) = numbers()
    wait_until(lambda: not runs(number))
