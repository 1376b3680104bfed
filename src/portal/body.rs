//! Bodies of the API: JSON, forms or multipart, whole up to a limit.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::rt::time::timeout;
use actix_web::web::Payload;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::reply::Reply;
use crate::domain::Secret;
use crate::schema::{self, Body, DecodeError};

/// Bytes of a body: an account or an application with all it has to say.
pub(super) const LONGEST: usize = 64 * 1024;
/// A refused body is still read this far, so that the client gets the answer and not a broken connection.
const DRAIN: usize = 4 * 1024 * 1024;
/// A client that sends nothing for longer than this is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The fields of a request's body of at most `limit` bytes.
///
/// # Errors
/// The refusal: 400, 408, 413 or 415.
pub(super) async fn read(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Body, Reply> {
    let bytes = whole(payload, limit).await?;
    let content_type = request.headers().get("content-type").map(|value| value.to_str().unwrap_or("?"));
    schema::decode(content_type, &bytes).map_err(|error| refused(&error))
}

async fn whole(mut payload: Payload, limit: usize) -> Result<Vec<u8>, Reply> {
    let (mut bytes, mut length) = (Vec::new(), 0);
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

/// A text that a body must bring.
///
/// # Errors
/// 400 `{name} is required`, or that it is no text.
pub(super) fn needed(body: &Body, name: &str) -> Result<String, Reply> {
    let (message, fault) = match body.fields.get(name) {
        Some(Value::String(text)) if !text.is_empty() => return Ok(text.clone()),
        None | Some(Value::Null | Value::String(_)) => (format!("{name} is required"), "required field missing"),
        Some(_) => (format!("{name} must be a string"), "expected a string"),
    };
    Err(Reply::faulty(400, 2, "schema violation", &message, json!({ name: fault })))
}

/// As [`needed`], for what is not to be printed.
pub(super) fn needed_secret(body: &Body, name: &str) -> Result<Secret, Reply> {
    needed(body, name).map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let body = Body::json(json!({ "token": 1, "email": "", "a": "b" }).as_object().unwrap().clone());
        assert_eq!(needed(&body, "a").unwrap(), "b");
        for (name, message) in
            [("token", "token must be a string"), ("email", "email is required"), ("x", "x is required")]
        {
            let reply = needed(&body, name).unwrap_err();
            assert_eq!((reply.status, &reply.body.unwrap()["message"]), (400, &json!(message)));
        }
    }
}
