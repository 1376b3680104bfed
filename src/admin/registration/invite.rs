//! `/developers/invite`

use serde_json::{Map, Value, json};

use crate::admin::entities::Ask;
use crate::admin::reply::Reply;
use crate::admin::state::AdminState;
use crate::engine::catalog::CatalogError;
use crate::engine::registration::{InviteError, Invited};

pub(super) async fn invite(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    match state.registration.invite(ask.body).await {
        Ok(invited) => Ok(Reply::json(200, shown(&invited))),
        Err(InviteError::Catalog(error)) => Err(error),
        Err(error @ InviteError::Off) => Ok(Reply::message(400, &error.to_string())),
        Err(error @ InviteError::NoSmtp) => Ok(Reply::message(501, &error.to_string())),
    }
}

/// Kong's form: addresses are the names of fields.
fn shown(invited: &Invited) -> Value {
    let sent: Map<String, Value> = invited.sent.iter().map(|email| (email.clone(), true.into())).collect();
    let failed: Map<String, Value> =
        invited.failed.iter().map(|(email, why)| (email.clone(), why.as_str().into())).collect();
    json!({
        "error": { "count": failed.len(), "emails": failed },
        "sent": { "count": sent.len(), "emails": sent },
        "smtp_mock": invited.smtp_mock,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invitations_are_told_as_kong_tells_them() {
        let invited = Invited {
            sent: vec!["a@b.c".to_owned()],
            failed: vec![("d@e.f".to_owned(), "no such host".to_owned())],
            smtp_mock: false,
        };
        let wanted = json!({
            "error": { "count": 1, "emails": { "d@e.f": "no such host" } },
            "sent": { "count": 1, "emails": { "a@b.c": true } },
            "smtp_mock": false,
        });
        assert_eq!(shown(&invited), wanted);
    }
}
