"""Gets a token by client credentials and calls a service with it; prints what it saw as JSON.

Arguments: service URL, client id, client secret, authentication method, certificate file.
"""

import json
import sys

from authlib.integrations.requests_client import OAuth2Session

url, client_id, client_secret, method, certificate = sys.argv[1:]
session = OAuth2Session(client_id, client_secret, token_endpoint_auth_method=method, scope="read write")
session.verify = certificate  # the gateway's own, made at its first start
session.trust_env = False
token = session.fetch_token(url + "/oauth2/token", grant_type="client_credentials")
answer = session.get(url)
print(json.dumps({"status": answer.status_code, "expires_in": token["expires_in"]}))
