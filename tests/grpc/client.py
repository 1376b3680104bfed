"""Calls the service of server.py through the gateway: ADDRESS TOKEN [CERTIFICATE]. Ends with 0 when all went well."""

import queue
import sys
import time

import grpc

address, token = sys.argv[1:3]
if len(sys.argv) > 3:
    with open(sys.argv[3], "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    channel = grpc.secure_channel(address, credentials)
else:
    channel = grpc.insecure_channel(address)
bearer = (("authorization", "Bearer " + token), ("x-custom", "kept"))
unary = channel.unary_unary("/test.Service/Unary")
cancellations = channel.unary_unary("/test.Service/Cancellations")


def failure(call):
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise AssertionError("it did not fail")


# Unary, with metadata both ways and the identity of the caller.
answer, call = unary.with_call(b"hi", metadata=bearer)
trailing = dict(call.trailing_metadata())
assert answer == b"echo: hi", answer
assert dict(call.initial_metadata())["x-initial"] == "yes"
assert trailing["seen-x-consumer-username"] == "shop" and trailing["seen-x-custom"] == "kept", trailing

# Without a token, and with a wrong one.
for metadata in ((), (("authorization", "Bearer wrong"),)):
    error = failure(lambda: unary(b"hi", metadata=metadata))
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED, error
    assert error.details(), error

# An error of the service, with details.
error = failure(lambda: unary(b"fail", metadata=bearer))
assert error.code() == grpc.StatusCode.FAILED_PRECONDITION and error.details() == "no such luck", error
assert dict(error.trailing_metadata())["grpc-status-details-bin"] == b"\x08\x09detail"

# A deadline, which the service hears of.
before = int(cancellations(b"", metadata=bearer))
error = failure(lambda: unary(b"slow", metadata=bearer, timeout=0.5))
assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error

# Streams.
parts = [b"a" * 100_000] * 100
assert channel.stream_unary("/test.Service/ClientStream")(iter(parts), metadata=bearer) == b"10000000"
numbers = channel.unary_stream("/test.Service/ServerStream")(b"5000", metadata=bearer)
assert [int(number) for number in numbers] == list(range(5000))


def spoken(words):
    while (word := words.get()) is not None:
        yield word


words = queue.Queue()
answers = channel.stream_stream("/test.Service/Bidirectional")(spoken(words), metadata=bearer)
for number in range(20):
    words.put(b"%d" % number)
    assert next(answers) == b"<%d>" % number
words.put(None)
assert list(answers) == []

# Cancellation reaches the service.
words = queue.Queue()
answers = channel.stream_stream("/test.Service/Bidirectional")(spoken(words), metadata=bearer)
words.put(b"x")
assert next(answers) == b"<x>"
answers.cancel()
words.put(None)
until = time.monotonic() + 20
while int(cancellations(b"", metadata=bearer)) < before + 3:
    assert time.monotonic() < until, "the service was not told"
    time.sleep(0.05)

# A method that no route leads to.
error = failure(lambda: channel.unary_unary("/other.Service/Unary")(b"", metadata=bearer))
assert error.code() == grpc.StatusCode.UNIMPLEMENTED, error
