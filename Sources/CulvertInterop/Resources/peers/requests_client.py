"""A GET with Python's requests through an HTTP proxy: requests_client.py URL PROXY CA"""

import sys

import requests
from client_checks import check, same

url, proxy, authority = sys.argv[1:]

with requests.Session() as session:
    # The environment's NO_PROXY would win over the argument.
    session.trust_env = False
    for name in ("get", "get-again"):
        with check(name):
            answer = session.get(url, proxies={"https": proxy}, verify=authority, timeout=20)
            same(str(answer.status_code), "200")
            same(answer.text, "hello\n")
