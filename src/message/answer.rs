//! An answer the gateway gives itself.

use bytes::Bytes;

/// Status, header fields and a whole body. `Content-Length`, `Server`, `Date` and the like are added where it is sent.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
    /// The same refusal as a gRPC status and message, where the route speaks gRPC.
    pub grpc: Option<(u8, String)>,
}

impl Answer {
    /// A JSON answer.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        let headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        Self { status, headers, body: body.to_string().into(), grpc: None }
    }

    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    #[must_use]
    pub fn with_grpc(mut self, status: u8, message: impl Into<String>) -> Self {
        self.grpc = Some((status, message.into()));
        self
    }
}
