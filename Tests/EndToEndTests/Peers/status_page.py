"""Drives headless Chromium over its DevTools: status_page.py URL STEPS

STEPS is a JSON list, done in order; each prints one line when it is done:
    ["wait", EXPRESSION]      until the JavaScript expression is true in the page
    ["value", EXPRESSION]     value JSON
    ["shot", FILE, WIDTH, HEIGHT, "light" or "dark"]
    ["script", false]         loads the page anew without JavaScript
    ["blank"]                 leaves for a page of nobody
    ["problems"]              problems JSON: console errors, exceptions, blocked or failed requests
"""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from websockets.sync.client import connect

LIMIT_SECONDS = 60


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp()
        self.log = open(os.path.join(self.profile, "log"), "wb")
        command = [
            "chromium", "--headless=new", f"--user-data-dir={self.profile}", "--remote-debugging-port=0",
            "--no-proxy-server", "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--disable-extensions", "--disable-gpu", "--disable-dev-shm-usage",
            "--password-store=basic", "--hide-scrollbars",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
        ]
        if os.getuid() == 0:
            # Chromium's sandbox refuses to run as root.
            command.append("--no-sandbox")
        self.process = subprocess.Popen([*command, "about:blank"], stdout=self.log, stderr=self.log)

    def page(self):
        """The DevTools address of the first page."""
        file = os.path.join(self.profile, "DevToolsActivePort")
        deadline = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < deadline:
            try:
                with open(file) as lines:
                    port = int(lines.readline())
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
                    pages = [page for page in json.load(answer) if page["type"] == "page"]
                if pages:
                    return pages[0]["webSocketDebuggerUrl"]
            except (OSError, ValueError):
                pass
            time.sleep(0.1)
        raise TimeoutError("chromium did not start")

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)


class Page:
    def __init__(self, socket, url):
        self.socket = socket
        self.url = url
        self.number = 0
        self.problems = []
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)

    def call(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv(timeout=LIMIT_SECONDS))
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.heard(message.get("method"), message.get("params"))

    def heard(self, method, event):
        if method == "Runtime.exceptionThrown":
            self.problems.append(event["exceptionDetails"].get("exception", {}).get("description", "exception"))
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "warning", "assert"):
            self.problems.append(" ".join(str(part.get("value")) for part in event["args"]))
        elif method == "Log.entryAdded" and event["entry"]["level"] in ("error", "warning"):
            self.problems.append(f"{event['entry']['text']} {event['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent" and not event["request"]["url"].startswith((self.url, "data:")):
            self.problems.append(f"asked elsewhere: {event['request']['url']}")

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            return None
        return result["result"].get("value")

    def step(self, name, *arguments):
        if name == "wait":
            deadline = time.monotonic() + LIMIT_SECONDS
            while not self.evaluate(arguments[0]):
                if time.monotonic() > deadline:
                    raise TimeoutError(arguments[0])
                time.sleep(0.1)
            return "done wait"
        if name == "value":
            return f"value {json.dumps(self.evaluate(arguments[0]))}"
        if name == "script":
            self.call("Emulation.setScriptExecutionDisabled", value=not arguments[0])
            self.call("Page.navigate", url=self.url)
            time.sleep(1)
            return "done script"
        if name == "blank":
            self.call("Page.navigate", url="about:blank")
            return "done blank"
        if name == "problems":
            self.evaluate("1")
            return f"problems {json.dumps(self.problems)}"
        if name == "shot":
            self.shot(*arguments)
            return f"done shot {arguments[0]}"
        raise ValueError(name)

    def shot(self, file, width, height, scheme):
        phone = width < 600
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone,
        )
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        # Two messages of the page's feed, so that everything is drawn anew.
        deadline = time.monotonic() + 2.2
        while time.monotonic() < deadline:
            self.evaluate("1")
            time.sleep(0.1)
        image = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        with open(file, "wb") as output:
            output.write(base64.b64decode(image["data"]))


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    browser = Browser()
    try:
        with connect(browser.page(), max_size=None) as socket:
            page = Page(socket, sys.argv[1])
            for step in json.loads(sys.argv[2]):
                print(page.step(*step), flush=True)
    finally:
        browser.close()


main()
