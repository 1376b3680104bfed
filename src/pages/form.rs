//! Forms as browsers send them.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::rt::time::timeout;
use actix_web::web::Payload;
use futures_util::StreamExt;

/// A client that sends nothing for longer than this is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Fields of one form.
const MOST_FIELDS: usize = 1000;
/// A refused form is still read this far, so that the browser shows the answer and not a broken connection.
const DRAIN: usize = 4 * 1024 * 1024;

/// The fields of a form, in the order they came.
#[derive(Clone, Default)]
pub struct Form(Vec<(String, String)>);

/// Why a form could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormError {
    TooLong,
    /// Not `application/x-www-form-urlencoded`, or cut short.
    Unreadable,
}

impl FormError {
    pub fn status(self) -> u16 {
        match self {
            Self::TooLong => 413,
            Self::Unreadable => 400,
        }
    }

    pub fn text(self) -> &'static str {
        match self {
            Self::TooLong => "What you sent is too long.",
            Self::Unreadable => "The form could not be read. Please send it again.",
        }
    }
}

/// Fields hold passwords, so only their names are printed.
impl std::fmt::Debug for Form {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Form {
    /// Reads a form of at most `limit` bytes.
    ///
    /// # Errors
    /// [`FormError`]
    pub async fn read(request: &HttpRequest, mut payload: Payload, limit: usize) -> Result<Self, FormError> {
        let kind = request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let (mut bytes, mut length) = (Vec::new(), 0);
        while let Some(chunk) = timeout(PATIENCE, payload.next()).await.map_err(|_| FormError::Unreadable)? {
            let chunk = chunk.map_err(|_| FormError::Unreadable)?;
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
        if length > limit {
            return Err(FormError::TooLong);
        }
        if !bytes.is_empty() && !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(FormError::Unreadable);
        }
        if form_urlencoded::parse(&bytes).nth(MOST_FIELDS).is_some() {
            return Err(FormError::TooLong);
        }
        Ok(Self::parse(&bytes))
    }

    /// The fields of a form or of a query.
    pub fn parse(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text).take(MOST_FIELDS);
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The first value of a field; the empty text when there is none. Line ends are `\n`, as everywhere but in forms.
    pub fn text(&self, name: &str) -> String {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.replace("\r\n", "\n")).unwrap_or_default()
    }

    /// The first value of a field, trimmed, when it is not empty.
    pub fn filled(&self, name: &str) -> Option<String> {
        Some(self.text(name).trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Every value of a field: of checkboxes with one name.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a checkbox is set.
    pub fn is_set(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Every field but the CSRF token.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter(|(name, _)| name != "csrf_token").map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_by_name() {
        let form = Form::parse(b"a=1&a=2&b=+x%0D%0Ay+&csrf_token=t&c=");
        assert_eq!(form.text("a"), "1");
        assert_eq!(form.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(form.filled("b").as_deref(), Some("x\ny"));
        assert_eq!(form.filled("c"), None);
        assert!(form.is_set("c") && !form.is_set("d"));
        assert_eq!(form.pairs().count(), 4);
        assert!(!format!("{form:?}").contains('x'));
    }
}
