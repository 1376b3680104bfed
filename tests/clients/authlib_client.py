"""Gets a token by client credentials and calls a service with it; prints what it saw as JSON.

Arguments: service URL, client id, client secret, authentication method.
"""

import json
import sys
import warnings

from authlib.integrations.requests_client import OAuth2Session

warnings.filterwarnings("ignore")  # the certificate of the test is self-signed
url, client_id, client_secret, method = sys.argv[1:]
session = OAuth2Session(client_id, client_secret, token_endpoint_auth_method=method, scope="read write")
session.verify = False
token = session.fetch_token(url + "/oauth2/token", grant_type="client_credentials")
answer = session.get(url)
print(json.dumps({"status": answer.status_code, "expires_in": token["expires_in"]}))
