//! HTTP/2 on both sides: from clients (by prior knowledge and by ALPN), and to upstreams that speak gRPC.

#[path = "../proxy/house.rs"]
#[expect(dead_code, reason = "the house serves the other tests too")]
mod house;

mod attacks;
mod calls;
mod client;
mod upstreams;
mod websocket;
