"""Chromium without a window, spoken to in its DevTools protocol through a pipe: no driver, no package."""

import base64
import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest


class Chromium:
    """A browser with one tab. `said` are the console's words and the page's errors, `asked_for` the URLs."""

    def __init__(self, program, folder):
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        options = [
            "--headless=new",
            "--no-sandbox",  # which root may not have
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            "--hide-scrollbars",
            f"--user-data-dir={folder}",
            "--remote-debugging-pipe",
        ]
        # Chromium reads from descriptor 3 and writes to 4
        line = f'exec 3<&{theirs_in} 4>&{theirs_out}; exec "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", line, "chromium", program, *options, "about:blank"],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._reading = os.fdopen(ours_in, "rb")
        self._writing = os.fdopen(ours_out, "wb")
        self._numbers = itertools.count(1)
        self._session = None
        self._unread = b""
        self._events = []
        self.said, self.asked_for = [], []
        [tab] = [one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page"]
        attached = self.call("Target.attachToTarget", targetId=tab["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Security"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        """What the browser answers to a call; what happened before is taken note of."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._writing.write(json.dumps(message).encode() + b"\0")
        self._writing.flush()
        while (answer := self._next()).get("id") != number:
            self._note(answer)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def open(self, page, *, width, scheme="light", media="screen"):
        """Show a file as a screen of that width would, or as paper."""
        self.said.clear()
        self.asked_for.clear()
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self._events.clear()
        self.call("Page.navigate", url=Path(page).as_uri())
        while "Page.loadEventFired" not in self._events:
            self._note(self._next())
        self.ask("Promise.all([...document.images].map(image => image.decode())).then(() => true)")

    def ask(self, expression):
        """What a line of JavaScript gives; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key):
        """A key goes down and up again."""
        for kind in ("rawKeyDown", "keyUp"):
            code = {"Tab": 9, "Enter": 13}[key]
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def picture(self, path):
        """The whole page as a PNG."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        Path(path).write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        self._session = None
        self.call("Browser.close")
        self._writing.close()
        self._reading.close()
        self._process.wait(timeout=30)

    def _next(self):
        while b"\0" not in self._unread:
            block = os.read(self._reading.fileno(), 1 << 20)
            assert block, "the browser has gone"
            self._unread += block
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)

    def _note(self, event):
        method, params = event.get("method"), event.get("params", {})
        self._events.append(method)
        if method == "Network.requestWillBeSent":
            self.asked_for.append(params["request"]["url"])
        elif method == "Log.entryAdded":
            self.said.append(params["entry"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.said.append(" ".join(str(one.get("value")) for one in params["args"]))
        elif method == "Runtime.exceptionThrown":
            self.said.append(params["exceptionDetails"]["text"])


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "Chromium is not installed; on Debian it is the package chromium"
    browser = Chromium(program, tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """The source of axe-core, which looks a page through for what keeps people from using it."""
    npm = shutil.which("npm")
    assert npm, "npm is not installed; it comes with Node"
    folder = tmp_path_factory.mktemp("axe")
    (folder / "package.json").write_text('{"private": true}')
    quiet = ("--no-audit", "--no-fund", "--loglevel", "error")
    subprocess.run([npm, "install", *quiet, "axe-core@4"], cwd=folder, check=True)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
