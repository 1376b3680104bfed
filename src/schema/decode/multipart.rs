//! `multipart/form-data` as pairs.

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::stream;

use super::{DecodeError, keys};

/// The parts with a name, in order. The body is whole, so nothing here ever waits.
pub fn pairs(content_type: &str, body: &[u8]) -> Result<Vec<(String, String)>, DecodeError> {
    let boundary = multer::parse_boundary(content_type).map_err(|_| DecodeError::Multipart)?;
    let whole = Bytes::copy_from_slice(body);
    let chunks = stream::iter([Ok::<_, std::convert::Infallible>(whole)]);
    read(multer::Multipart::new(chunks, boundary)).now_or_never().unwrap_or(Err(DecodeError::Multipart))
}

async fn read(mut parts: multer::Multipart<'_>) -> Result<Vec<(String, String)>, DecodeError> {
    let mut pairs = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(|_| DecodeError::Multipart)? {
        let Some(name) = part.name().map(str::to_owned) else { continue };
        if pairs.len() >= keys::MAX_PAIRS {
            return Err(DecodeError::TooComplex);
        }
        let value = part.bytes().await.map_err(|_| DecodeError::Multipart)?;
        pairs.push((name, String::from_utf8(value.to_vec()).map_err(|_| DecodeError::Utf8)?));
    }
    Ok(pairs)
}
