"""authlib: every grant, then a call; prints what it saw as JSON."""

import json

from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from backend import Setting

setting = Setting()


def session(secret=setting.secret, **more):
    made = OAuth2Session(setting.id, secret, token_endpoint_auth_method=setting.method, scope="read write", **more)
    made.verify = setting.certificate  # the gateway's own, made at its first start
    made.trust_env = False
    return made


def client_credentials():
    client = session()
    client.fetch_token(setting.token_url, grant_type="client_credentials")
    return client.get(setting.api).status_code


def code_and_refresh():
    client = session(redirect_uri=setting.redirect_uri, code_challenge_method="S256")
    verifier = generate_token(48)
    url, _ = client.create_authorization_url(setting.authorize_url, code_verifier=verifier)
    client.fetch_token(setting.token_url, authorization_response=setting.allow(url), code_verifier=verifier)
    first = client.get(setting.api).status_code
    client.refresh_token(setting.token_url)
    return first, client.get(setting.api).status_code


def password():
    client = session()
    client.fetch_token(setting.token_url, username="alice", password="-", **setting.vouched)
    return client.get(setting.api).status_code


def wrong_secret():
    try:
        session("wrong").fetch_token(setting.token_url, grant_type="client_credentials")
    except OAuthError as refused:
        return refused.error


code, refresh = code_and_refresh()
print(json.dumps({
    "client_credentials": client_credentials(),
    "authorization_code": code,
    "refresh_token": refresh,
    "password": password(),
    "wrong_secret": wrong_secret(),
}))
