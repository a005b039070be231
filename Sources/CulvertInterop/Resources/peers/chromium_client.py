"""Chromium, headless, through an HTTP proxy: chromium_client.py URL PROXY CERTIFICATE PAGE

A web server of our own on loopback hands out PAGE and hears its results; it alone is reached without the proxy.
CERTIFICATE is the origin's: Chromium has no option to trust an authority, but one to accept a public key.
"""

import base64
import hashlib
import http.server
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.parse

LIMIT_SECONDS = 55

url, proxy, certificate, page = sys.argv[1:]


class Page(http.server.BaseHTTPRequestHandler):
    """GET of anything is the page; POST of anything is its results."""

    results = None
    heard = threading.Event()

    def do_GET(self):
        with open(page, "rb") as file:
            body = file.read()
        self.answer("text/html; charset=utf-8", body)

    def do_POST(self):
        Page.results = self.rfile.read(int(self.headers["Content-Length"])).decode()
        Page.heard.set()
        self.answer("text/plain", b"")

    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        try:
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:
            pass  # The browser may be gone once its results are here.

    def log_message(self, *_):
        pass


def public_key_digest():
    """The SHA-256 of the certificate's public key, as --ignore-certificate-errors-spki-list wants it."""
    pem = subprocess.run(
        ["openssl", "x509", "-in", certificate, "-noout", "-pubkey"], check=True, capture_output=True, text=True
    ).stdout
    der = base64.b64decode("".join(pem.splitlines()[1:-1]))
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def arguments(profile, port):
    chosen = [
        "--headless=new",
        f"--user-data-dir={profile}",
        f"--proxy-server={proxy}",
        # <-loopback> takes loopback out of what is reached directly; the page's own server stays.
        # Whatever else the browser calls of its own accord goes directly too, where no name resolves.
        f"--proxy-bypass-list=<-loopback>;127.0.0.1:{port};*.com;*.net;*.org;*.goog",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
        f"--ignore-certificate-errors-spki-list={public_key_digest()}",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-extensions",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--password-store=basic",
    ]
    if os.getuid() == 0:
        # Chromium's sandbox refuses to run as root.
        chosen.append("--no-sandbox")
    return chosen + [f"http://127.0.0.1:{port}/?{urllib.parse.urlencode({'url': url})}"]


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    profile = tempfile.mkdtemp()
    with open(os.path.join(profile, "log"), "wb") as log:
        browser = subprocess.Popen(["chromium", *arguments(profile, server.server_port)], stdout=log, stderr=log)
    try:
        if Page.heard.wait(LIMIT_SECONDS):
            print(Page.results)
        else:
            with open(os.path.join(profile, "log"), errors="replace") as log:
                print("fail open no results from the page;", " ".join(log.read().split())[-300:])
    finally:
        browser.terminate()
        try:
            browser.wait(5)
        except subprocess.TimeoutExpired:
            browser.kill()
            browser.wait()
        shutil.rmtree(profile, ignore_errors=True)


main()
