import grpc,sys,time
from concurrent import futures
I=lambda b:b
def unary(r,c):
    md=dict(c.invocation_metadata())
    c.send_initial_metadata((('x-initial','yes'),)); c.set_trailing_metadata((('x-trailing','yes'),('seen-consumer',md.get('x-consumer-username','-')),('seen-path',md.get('x-forwarded-path','-'))))
    if r==b'fail': c.abort_with_status(type('S',(grpc.Status,),{'code':grpc.StatusCode.FAILED_PRECONDITION,'details':'no such luck','trailing_metadata':(('grpc-status-details-bin',b'\x08\x09detail'),)})())
    if r==b'slow': time.sleep(5)
    return b'echo:'+r
def cstream(it,c): return b'%d'%sum(len(x) for x in it)
def sstream(r,c):
    for i in range(int(r)): yield b'%d'%i
cancelled=[]
def bidi(it,c):
    c.add_callback(lambda: cancelled.append(1))
    for x in it: yield b'<'+x+b'>'
def ncancel(r,c): return b'%d'%len(cancelled)
h=grpc.method_handlers_generic_handler('t.S',{'U':grpc.unary_unary_rpc_method_handler(unary),'C':grpc.stream_unary_rpc_method_handler(cstream),'V':grpc.unary_stream_rpc_method_handler(sstream),'B':grpc.stream_stream_rpc_method_handler(bidi),'N':grpc.unary_unary_rpc_method_handler(ncancel)})
s=grpc.server(futures.ThreadPoolExecutor(40)); s.add_generic_rpc_handlers((h,)); s.add_insecure_port('127.0.0.1:'+sys.argv[1]); s.start(); s.wait_for_termination()
