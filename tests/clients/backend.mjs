// The login backend of the API's owner, as short as it can be: everybody is "user-1" and allows everything.

import { webcrypto } from 'node:crypto'

// Node 18 has it, but not by this name.
globalThis.crypto ??= webcrypto

// What the test tells: the API, the application, and what the backend needs.
export const setting = JSON.parse(process.argv[2])
export const tokenUrl = `${setting.api}/oauth2/token`
export const authorizeUrl = `${setting.api}/oauth2/authorize`
// The owner's password grant: the backend has checked the password, the gateway takes its word for it.
export const vouched = { provision_key: setting.provision_key, authenticated_userid: 'user-1' }

/** Plays the person at `url`; gives the address that the browser is sent to. */
export async function allow(url) {
  const body = new URLSearchParams({ ...Object.fromEntries(new URL(url).searchParams), ...vouched })
  const answer = await fetch(authorizeUrl, { method: 'POST', body })
  const told = await answer.json()
  if (answer.status !== 200) throw new Error(JSON.stringify(told))
  return new URL(told.redirect_uri)
}

export async function call(token) {
  return (await fetch(setting.api, { headers: { authorization: `Bearer ${token}` } })).status
}

/** What a refused attempt says, in the client's own words. */
export async function refusal(attempt, words) {
  try {
    await attempt()
    return 'accepted'
  } catch (error) {
    return words(error)
  }
}

export const tell = (seen) => console.log(JSON.stringify(seen))
