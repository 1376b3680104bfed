// oauth4webapi: every grant, each step by hand as the library wants it, then a call.

import { allow, authorizeUrl, call, refusal, setting, tell, tokenUrl, vouched } from './backend.mjs'
import * as oauth from 'oauth4webapi'

const scope = 'read write'
const isStrict = setting.profile === 'rfc9700'
const client = { client_id: setting.id }
const server = (demandsIssuer) => ({
  issuer: setting.api,
  token_endpoint: tokenUrl,
  authorization_response_iss_parameter_supported: demandsIssuer,
})
const proof = (secret) =>
  setting.method === 'client_secret_basic' ? oauth.ClientSecretBasic(secret) : oauth.ClientSecretPost(secret)
const mine = proof(setting.secret)

async function clientCredentials(secret) {
  const as = server(isStrict)
  const answer = await oauth.clientCredentialsGrantRequest(as, client, secret, new URLSearchParams({ scope }))
  return oauth.processClientCredentialsResponse(as, client, answer)
}

async function code(demandsIssuer) {
  const as = server(demandsIssuer)
  const verifier = oauth.generateRandomCodeVerifier()
  const url = new URL(authorizeUrl)
  url.search = new URLSearchParams({
    client_id: setting.id,
    response_type: 'code',
    redirect_uri: setting.redirect_uri,
    scope,
    state: 'kept',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const params = oauth.validateAuthResponse(as, client, await allow(url), 'kept')
  const answer =
    await oauth.authorizationCodeGrantRequest(as, client, mine, params, setting.redirect_uri, verifier)
  return oauth.processAuthorizationCodeResponse(as, client, answer)
}

async function refreshed(token) {
  const as = server(isStrict)
  const answer = await oauth.refreshTokenGrantRequest(as, client, mine, token)
  return oauth.processRefreshTokenResponse(as, client, answer)
}

async function password() {
  const as = server(false)
  const form = new URLSearchParams({ ...vouched, scope })
  const answer = await oauth.genericTokenEndpointRequest(as, client, mine, 'password', form)
  return oauth.processGenericTokenEndpointResponse(as, client, answer)
}

const first = await code(isStrict)
const seen = {
  client_credentials: await call((await clientCredentials(mine)).access_token),
  authorization_code: await call(first.access_token),
  refresh_token: await call((await refreshed(first.refresh_token)).access_token),
  wrong_secret: await refusal(() => clientCredentials(proof('wrong')), (error) => error.error ?? error.code),
}
if (!isStrict) {
  seen.password = await call((await password()).access_token)
  // Kong's answers name no issuer, so a client that was told to expect one refuses them: by design.
  seen.demanded_issuer = await refusal(() => code(true), (error) => error.code)
}
tell(seen)
