"""requests-oauthlib: every grant, then a call; prints what it saw as JSON."""

import json

from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient, OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from backend import Setting

setting = Setting()
SCOPE = ["read", "write"]


def proof(secret=setting.secret):
    """How the client says who it is, by header or in the body."""
    if setting.method == "client_secret_basic":
        return {"auth": HTTPBasicAuth(setting.id, secret), "verify": setting.certificate}
    return {
        "include_client_id": True, "client_id": setting.id, "client_secret": secret, "verify": setting.certificate,
    }


def called(session):
    return session.get(setting.api, verify=setting.certificate).status_code


def client_credentials(secret=setting.secret):
    session = OAuth2Session(client=BackendApplicationClient(setting.id, scope=SCOPE))
    session.fetch_token(setting.token_url, **proof(secret))
    return called(session)


def code_and_refresh():
    session = OAuth2Session(setting.id, redirect_uri=setting.redirect_uri, scope=SCOPE, pkce="S256")
    url, _ = session.authorization_url(setting.authorize_url)
    session.fetch_token(setting.token_url, authorization_response=setting.allow(url), **proof())
    first = called(session)
    # A refresh has no `include_client_id`: its extra arguments are fields of the body.
    fields = {name: value for name, value in proof().items() if name != "include_client_id"}
    session.refresh_token(setting.token_url, **fields)
    return first, called(session)


def password():
    session = OAuth2Session(client=LegacyApplicationClient(setting.id, scope=SCOPE))
    session.fetch_token(setting.token_url, username="alice", password="-", **setting.vouched, **proof())
    return called(session)


def wrong_secret():
    try:
        client_credentials("wrong")
    except OAuth2Error as refused:
        return refused.error


code, refresh = code_and_refresh()
print(json.dumps({
    "client_credentials": client_credentials(),
    "authorization_code": code,
    "refresh_token": refresh,
    "password": password(),
    "wrong_secret": wrong_secret(),
}))
