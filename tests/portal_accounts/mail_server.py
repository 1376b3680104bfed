"""A mail server: prints its port, then each mail it takes as a line of JSON.

Options: --tls CERT KEY (offers STARTTLS), --required (takes mails over TLS and after log-in only), --smtps CERT KEY (TLS
from the first byte).
"""
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Printer:
    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(json.dumps({
            "client": session.host_name,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "head": {name.lower(): str(value) for name, value in message.items()},
            "raw": envelope.content.decode("utf-8", "replace"),
            "text": message.get_body(("plain",)).get_content(),
            "html": message.get_body(("html",)).get_content(),
            "tls": server.transport.get_extra_info("ssl_object") is not None,
            "login": session.auth_data.login.decode() if session.authenticated else None,
        }), flush=True)
        return "250 taken"


def known(server, session, envelope, mechanism, data):
    success = data.login == b"gate" and data.password == b"p+ss:w@rd"
    return AuthResult(success=success, auth_data=data)


async def main(arguments):
    def context(option):
        if option not in arguments:
            return None
        at = arguments.index(option)
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(arguments[at + 1], arguments[at + 2])
        return made

    required = "--required" in arguments
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Printer(), enable_SMTPUTF8=True, tls_context=context("--tls"), require_starttls=required,
                     auth_required=required, authenticator=known, auth_require_tls=required, loop=loop),
        "127.0.0.1", int(arguments[0]), ssl=context("--smtps"))
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main(sys.argv[1:]))
