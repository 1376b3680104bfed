//! What the upstream is told about the caller (oauth2.md section 6). What a client sends under these names has been
//! removed before any plugin runs (room `proxy`), so only what holds is set here.

use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::{Call, Identity};
use crate::domain::{ApplicationView, Consumer};
use crate::message::is_clean;

/// The call is made for this consumer, as this credential of its proved. `identifier` is what the upstream knows the
/// credential by.
pub(super) fn authenticated(consumer: &Arc<Consumer>, credential: Uuid, identifier: &str, call: &mut Call<'_>) {
    set_consumer(consumer, call);
    set(call, "X-Credential-Identifier", identifier);
    call.remove_header("X-Anonymous-Consumer");
    let consumer = Some(Arc::clone(consumer));
    call.identity = Some(Identity { consumer, credential: Some(credential), is_application: false });
}

/// The call is made for this consumer, and nothing proved that it may.
pub(super) fn anonymous(consumer: Arc<Consumer>, call: &mut Call<'_>) {
    set_consumer(&consumer, call);
    set(call, "X-Anonymous-Consumer", "true");
    call.remove_header("X-Credential-Identifier");
    forget_token(call);
    call.identity = Some(Identity { consumer: Some(consumer), ..Identity::default() });
}

/// Nothing is told of an access token: there is none, or it did not count.
pub(super) fn forget_token(call: &mut Call<'_>) {
    for name in ["X-Authenticated-Scope", "X-Authenticated-Userid"] {
        call.remove_header(name);
    }
}

const APPLICATION: [&str; 2] = ["X-Application-ID", "X-Application-Name"];

/// The call is made by this application.
pub(super) fn application(application: &ApplicationView, call: &mut Call<'_>) {
    let mut id = Uuid::encode_buffer();
    set(call, APPLICATION[0], application.id.hyphenated().encode_lower(&mut id));
    set(call, APPLICATION[1], &application.name);
    if let Some(identity) = &mut call.identity {
        identity.is_application = true;
    }
}

/// Removes what the client says of applications, in every spelling that an upstream may take for it.
pub(super) fn forget_application(call: &mut Call<'_>) {
    let head = call.head;
    for (name, _) in head.headers.iter() {
        if APPLICATION.iter().any(|known| is_spelling(name, known.as_bytes())) {
            call.remove_header(Bytes::copy_from_slice(name));
        }
    }
}

/// Whether a field's name is this one but for case and for `_` in place of `-`, which CGI does not tell apart.
fn is_spelling(name: &[u8], known: &[u8]) -> bool {
    let folded = |byte: &u8| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    name.len() == known.len() && name.iter().map(folded).eq(known.iter().map(folded))
}

fn set_consumer(consumer: &Consumer, call: &mut Call<'_>) {
    let mut id = Uuid::encode_buffer();
    set(call, "X-Consumer-ID", consumer.id.hyphenated().encode_lower(&mut id));
    for (name, value) in [("X-Consumer-Custom-ID", &consumer.custom_id), ("X-Consumer-Username", &consumer.username)] {
        match value {
            Some(text) => set(call, name, text),
            None => call.remove_header(name),
        }
    }
}

/// Sets a header to a stored text. A text that cannot stand in a header (line ends, NUL) is percent-encoded: it must
/// neither end the field nor be lost.
pub(super) fn set(call: &mut Call<'_>, name: &'static str, text: &str) {
    if is_clean(text.as_bytes()) {
        return call.set_header(name, text.as_bytes());
    }
    let encoded = percent_encoding::utf8_percent_encode(text, percent_encoding::CONTROLS).to_string();
    call.set_header(name, encoded.as_bytes());
}
