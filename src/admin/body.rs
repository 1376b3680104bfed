//! Bodies, read whole up to a limit.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::rt::time::timeout;
use actix_web::web::Payload;
use futures_util::StreamExt;

use super::reply::Reply;
use crate::schema::{self, Body, DecodeError};

/// A refused body is still read this far, so that the client gets the answer and not a broken connection.
const DRAIN: usize = 64 * 1024 * 1024;

/// A client that sends nothing for longer than this is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The fields of a request's body.
pub(super) async fn read(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Body, Reply> {
    let bytes = whole(payload, limit).await?;
    let content_type = request.headers().get("content-type").map(|value| value.to_str().unwrap_or("?"));
    schema::decode(content_type, &bytes).map_err(|error| refused(&error))
}

async fn whole(mut payload: Payload, limit: usize) -> Result<Vec<u8>, Reply> {
    let mut bytes = Vec::new();
    let mut length = 0;
    loop {
        let chunk = timeout(PATIENCE, payload.next()).await.map_err(|_| Reply::message(408, "Request Time-out"))?;
        let Some(chunk) = chunk else { break };
        let chunk = chunk.map_err(|_| Reply::message(400, "Cannot read the body"))?;
        length += chunk.len();
        if length > DRAIN {
            break;
        }
        if length <= limit {
            bytes.extend_from_slice(&chunk);
        } else {
            bytes = Vec::new();
        }
    }
    if length > limit { Err(Reply::message(413, "Payload Too Large")) } else { Ok(bytes) }
}

fn refused(error: &DecodeError) -> Reply {
    match error {
        DecodeError::Json => Reply::message(400, "Cannot parse JSON body"),
        DecodeError::Utf8 => Reply::message(400, "Cannot parse body: it is not valid UTF-8"),
        DecodeError::Multipart => Reply::message(400, "Cannot parse multipart body"),
        DecodeError::TooComplex => Reply::message(400, "Cannot parse body: too many or too deep fields"),
        DecodeError::UnsupportedMediaType => Reply::message(415, "Unsupported Media Type"),
    }
}
