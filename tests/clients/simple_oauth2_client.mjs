// simple-oauth2: every grant, then a call.

import { createHash, randomBytes } from 'node:crypto'

import { allow, call, refusal, setting, tell, tokenUrl, authorizeUrl, vouched } from './backend.mjs'
import simple from 'simple-oauth2'

const scope = 'read write'
const configured = (secret, more) => ({
  client: { id: setting.id, secret },
  auth: { tokenHost: new URL(tokenUrl).origin, tokenPath: new URL(tokenUrl).pathname, ...more },
  options: { authorizationMethod: setting.method === 'client_secret_basic' ? 'header' : 'body' },
})
const mine = configured(setting.secret)
const called = ({ token }) => call(token.access_token)

async function code() {
  const client = new simple.AuthorizationCode(
    configured(setting.secret, { authorizePath: new URL(authorizeUrl).pathname }),
  )
  const verifier = randomBytes(32).toString('base64url')
  // The library knows no PKCE, but passes on what it does not know.
  const url = client.authorizeURL({
    redirect_uri: setting.redirect_uri,
    scope,
    state: 'kept',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  const answer = await allow(url)
  return client.getToken({
    code: answer.searchParams.get('code'),
    redirect_uri: setting.redirect_uri,
    code_verifier: verifier,
  })
}

const first = await code()
tell({
  client_credentials: await called(await new simple.ClientCredentials(mine).getToken({ scope })),
  authorization_code: await called(first),
  refresh_token: await called(await first.refresh({ scope })),
  password: await called(
    await new simple.ResourceOwnerPassword(mine).getToken({ username: 'alice', password: '-', scope, ...vouched }),
  ),
  wrong_secret: await refusal(
    () => new simple.ClientCredentials(configured('wrong')).getToken({ scope }),
    (error) => error.data.payload.error,
  ),
})
