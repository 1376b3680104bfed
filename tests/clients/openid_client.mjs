// openid-client: every grant, then a call.

import { allow, authorizeUrl, call, refusal, setting, tell, tokenUrl, vouched } from './backend.mjs'
import * as client from 'openid-client'

const scope = 'read write'
const isStrict = setting.profile === 'rfc9700'

function configured(secret, demandsIssuer) {
  const server = {
    issuer: setting.api,
    authorization_endpoint: authorizeUrl,
    token_endpoint: tokenUrl,
    authorization_response_iss_parameter_supported: demandsIssuer,
  }
  const proof = setting.method === 'client_secret_basic' ? client.ClientSecretBasic : client.ClientSecretPost
  return new client.Configuration(server, setting.id, undefined, proof(secret))
}

async function code(demandsIssuer) {
  const config = configured(setting.secret, demandsIssuer)
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: setting.redirect_uri,
    scope,
    state: 'kept',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  })
  const checks = { pkceCodeVerifier, expectedState: 'kept' }
  return client.authorizationCodeGrant(config, await allow(url), checks)
}

const config = configured(setting.secret, isStrict)
const grant = async (tokens) => call((await tokens).access_token)
const first = await code(isStrict)
const seen = {
  client_credentials: await grant(client.clientCredentialsGrant(config, { scope })),
  authorization_code: await call(first.access_token),
  refresh_token: await grant(client.refreshTokenGrant(config, first.refresh_token)),
  wrong_secret: await refusal(
    () => client.clientCredentialsGrant(configured('wrong', false), { scope }),
    (error) => error.error ?? error.code,
  ),
}
if (!isStrict) {
  // The library has no password grant of its own any more (OAuth 2.1 drops it), only one for any name.
  seen.password = await grant(client.genericGrantRequest(config, 'password', { ...vouched, scope }))
  // Kong's answers name no issuer, so a client that was told to expect one refuses them: by design.
  seen.demanded_issuer = await refusal(() => code(true), (error) => error.code)
}
tell(seen)
