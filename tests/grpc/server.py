"""A gRPC service without generated code: messages are plain bytes. Prints the port it listens on."""

import time
from concurrent import futures

import grpc

cancelled = []


class Refusal(grpc.Status):
    def __init__(self):
        self.code = grpc.StatusCode.FAILED_PRECONDITION
        self.details = "no such luck"
        self.trailing_metadata = (("grpc-status-details-bin", b"\x08\x09detail"),)


def unary(request, context):
    metadata = dict(context.invocation_metadata())
    context.send_initial_metadata((("x-initial", "yes"),))
    seen = ("x-consumer-username", "x-authenticated-scope", "x-custom")
    context.set_trailing_metadata(tuple(("seen-" + name, metadata.get(name, "none")) for name in seen))
    if request == b"fail":
        context.abort_with_status(Refusal())
    if request == b"slow":
        context.add_callback(lambda: cancelled.append("slow"))
        time.sleep(3)
    return b"echo: " + request


def client_stream(requests, context):
    return b"%d" % sum(len(request) for request in requests)


def server_stream(request, context):
    for number in range(int(request)):
        yield b"%d" % number


def bidirectional(requests, context):
    context.add_callback(lambda: cancelled.append("bidirectional"))
    for request in requests:
        yield b"<" + request + b">"


def cancellations(request, context):
    return b"%d" % len(cancelled)


handlers = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "ClientStream": grpc.stream_unary_rpc_method_handler(client_stream),
    "ServerStream": grpc.unary_stream_rpc_method_handler(server_stream),
    "Bidirectional": grpc.stream_stream_rpc_method_handler(bidirectional),
    "Cancellations": grpc.unary_unary_rpc_method_handler(cancellations),
}
server = grpc.server(futures.ThreadPoolExecutor(32))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Service", handlers),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
server.wait_for_termination()
