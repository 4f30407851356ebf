"""A real Chromium without a window, told what to do through a pipe: no driver and no port is needed."""

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE_S = 60


class Browser:
    """One tab. `requests` are the addresses it asked for, `complaints` what its console said of errors."""

    def __init__(self, told: int, says: int) -> None:
        self.told, self.says = told, says
        self.numbers = itertools.count(1)
        self.rest = b""
        self.session: str | None = None
        self.requests: list[str] = []
        self.complaints: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give an order and wait for its answer."""
        number = next(self.numbers)
        order = {"id": number, "method": method, "params": parameters}
        os.write(self.told, json.dumps(order | ({"sessionId": self.session} if self.session else {})).encode() + b"\0")
        while True:
            message = self.next_message()
            if message.get("id") == number:
                assert "error" not in message, (method, message)
                return dict(message["result"])
            self.notice(message)

    def next_message(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            assert select.select([self.says], [], [], PATIENCE_S)[0], "the browser says nothing more"
            more = os.read(self.says, 1 << 20)
            assert more, "the browser has ended"
            self.rest += more
        message, _, self.rest = self.rest.partition(b"\0")
        return dict(json.loads(message))

    def notice(self, message: dict[str, Any]) -> None:
        told = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Log.entryAdded" if told["entry"]["level"] in ("error", "warning"):
                self.complaints.append(told["entry"]["text"])
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "warning", "assert"):
                self.complaints.append(str(told["args"]))
            case "Runtime.exceptionThrown":
                self.complaints.append(str(told["exceptionDetails"]))

    def open(self, page: Path, width: int, height: int = 900, **media: str) -> None:
        """Load a page from the disk at that width; `media` are features such as prefers_reduced_motion."""
        mobile = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call("Page.navigate", url=page.absolute().as_uri())
        self.until("document.readyState === 'complete'")

    def ask(self, expression: str) -> Any:
        """The value of a line of JavaScript."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until it is true."""
        end = time.monotonic() + PATIENCE_S
        while not self.ask(expression):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.02)

    def press(self, key: str, code: int, text: str = "") -> None:
        """One key of the keyboard."""
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)

    def picture(self, out: Path, whole: bool = True) -> None:
        """A screenshot of the page."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        out.write_bytes(base64.b64decode(answer["data"]))


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile of its own, gone at the end."""
    assert PROGRAM
    told_end, told = os.pipe()
    says, says_end = os.pipe()
    options = ["--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    options += ["--disable-dev-shm-usage", "--disable-background-networking", f"--user-data-dir={profile}"]
    command = f'exec "$@" 3<&{told_end} 4>&{says_end}'
    process = subprocess.Popen(
        ["bash", "-c", command, "bash", PROGRAM, *options],
        pass_fds=(told_end, says_end),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(told_end)
    os.close(says_end)
    try:
        yield Browser(told, says)
    finally:
        process.terminate()
        process.wait(20)
        os.close(told)
        os.close(says)
