//! What the upstream is told about the caller (oauth2.md section 6). What a client sends under these names has been
//! removed before any plugin runs (room `proxy`), so only what holds is set here.

use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::Config;
use crate::domain::{Consumer, TokenView};
use crate::plugins::{Call, Identity};

pub(super) fn authenticated(config: &Config, view: &TokenView, call: &mut Call<'_>) {
    set_consumer(&view.consumer, call);
    set(call, "X-Credential-Identifier", &view.client_id);
    if let Some(scope) = &view.scope {
        if config.scope_header_separator == " " {
            set(call, "X-Authenticated-Scope", scope);
        } else {
            let words: Vec<&str> = scope.split_whitespace().collect();
            set(call, "X-Authenticated-Scope", &words.join(&config.scope_header_separator));
        }
    }
    if let Some(user) = &view.authenticated_userid {
        set(call, "X-Authenticated-Userid", user);
    }
    call.remove_header("X-Anonymous-Consumer");
    call.identity = Some(Identity { consumer: Some(Arc::clone(&view.consumer)), credential: Some(view.credential_id) });
}

pub(super) fn anonymous(consumer: Arc<Consumer>, call: &mut Call<'_>) {
    set_consumer(&consumer, call);
    set(call, "X-Anonymous-Consumer", "true");
    for name in ["X-Credential-Identifier", "X-Authenticated-Scope", "X-Authenticated-Userid"] {
        call.remove_header(name);
    }
    call.identity = Some(Identity { consumer: Some(consumer), credential: None });
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
fn set(call: &mut Call<'_>, name: &'static str, text: &str) {
    let clean = !text.bytes().any(|byte| byte < b' ' && byte != b'\t' || byte == 0x7f);
    let value = if clean {
        Bytes::copy_from_slice(text.as_bytes())
    } else {
        percent_encoding::utf8_percent_encode(text, percent_encoding::CONTROLS).to_string().into()
    };
    call.set_header(name, value);
}
