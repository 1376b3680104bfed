// passport-oauth2: the code grant with PKCE and `state`, a refresh, then a call. It has no other grants, and gives its
// secret in the body only.

import { allow, authorizeUrl, call, refusal, setting, tell, tokenUrl } from './backend.mjs'
import passport from 'passport-oauth2'

/** One visit of a browser with this session, as passport runs a strategy. */
function visit(session, query, secret) {
  const options = {
    authorizationURL: authorizeUrl,
    tokenURL: tokenUrl,
    clientID: setting.id,
    clientSecret: secret,
    callbackURL: setting.redirect_uri,
    scope: ['read', 'write'],
    pkce: true,
    state: true,
  }
  return new Promise((done, failed) => {
    const verify = (access, refresh, profile, verified) => verified(null, { access, refresh, strategy })
    const strategy = new passport.Strategy(options, verify)
    const fail = (why) => failed(new Error(why?.message))
    Object.assign(strategy, { redirect: done, success: done, error: failed, fail })
    strategy.authenticate({ session, query, headers: {}, connection: {} })
  })
}

async function code(secret) {
  const session = {}
  const answer = await allow(await visit(session, {}, secret))
  return visit(session, Object.fromEntries(answer.searchParams), secret)
}

/** A refresh, with the library that the strategy stands on. */
function refreshed({ strategy, refresh }) {
  return new Promise((done, failed) => {
    const params = { grant_type: 'refresh_token' }
    strategy._oauth2.getOAuthAccessToken(refresh, params, (error, token) => (error ? failed(error) : done(token)))
  })
}

/** A call as the library makes it unless told otherwise: with the token in the query, which Kong takes. */
function queried({ strategy }, token) {
  return new Promise((done) => {
    strategy._oauth2.get(setting.api, token, (error, _body, answer) => done(error?.statusCode ?? answer.statusCode))
  })
}

const person = await code(setting.secret)
const status = await call(person.access)
const token = await refreshed(person)
tell({
  authorization_code: status,
  refresh_token: await call(token),
  token_in_query: await queried(person, token),
  wrong_secret: await refusal(() => code('wrong'), (error) => error.code),
})
