"""The login backend of the API's owner, as short as it can be: everybody is "user-1" and allows everything."""

import json
import sys
from urllib.parse import parse_qsl, urlsplit

import requests


class Setting:
    """What the test tells: the API, the application, and what the backend needs."""

    def __init__(self):
        self.__dict__.update(json.loads(sys.argv[1]))
        self.token_url = self.api + "/oauth2/token"
        self.authorize_url = self.api + "/oauth2/authorize"
        # The owner's password grant: the backend has checked the password, the gateway takes its word for it.
        self.vouched = {"provision_key": self.provision_key, "authenticated_userid": "user-1"}

    def allow(self, url):
        """Plays the person at `url`; gives the address that the browser is sent to."""
        form = dict(parse_qsl(urlsplit(url).query)) | self.vouched
        answer = requests.post(self.authorize_url, data=form, verify=self.certificate)
        assert answer.status_code == 200, answer.text
        return answer.json()["redirect_uri"]
