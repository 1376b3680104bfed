//! `DELETE /oauth2_tokens?…`: tokens by what they have in common.

use serde_json::json;
use uuid::Uuid;

use super::entities::Ask;
use super::reply::Reply;
use super::state::AdminState;
use crate::engine::catalog::CatalogError;
use crate::engine::registration::TokenFilter;

pub(super) async fn delete(state: &AdminState, ask: &Ask<'_>) -> Result<Reply, CatalogError> {
    let deleted = state.registration.delete_tokens(&filter(ask.query)?).await?;
    Ok(Reply::json(200, json!({ "deleted": deleted })))
}

/// What does not read must not be left out: more would be deleted than was asked for.
fn filter(query: &str) -> Result<TokenFilter, CatalogError> {
    let mut filter = TokenFilter::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let refused = |text: &str| CatalogError::InvalidOption { option: name.to_string(), text: text.to_owned() };
        let id = || value.parse::<Uuid>().map_err(|_| refused("expected a valid UUID"));
        let before = match name.as_ref() {
            "authenticated_userid" if value.is_empty() => return Err(refused("must not be empty")),
            "authenticated_userid" => filter.authenticated_userid.replace(value.to_string()).is_some(),
            "credential.id" => filter.credential.replace(id()?).is_some(),
            "service.id" => filter.service.replace(id()?).is_some(),
            _ => return Err(refused("unknown filter")),
        };
        if before {
            return Err(refused("is given twice"));
        }
    }
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_read_whole_or_refused() {
        let id = "0191c5a4-0000-7000-8000-000000000000";
        let read = filter(&format!("authenticated_userid=al%20ice&service.id={id}")).unwrap();
        assert_eq!(read.authenticated_userid.as_deref(), Some("al ice"));
        assert_eq!((read.service, read.credential), (id.parse().ok(), None));
        assert!(filter("").unwrap().is_empty());
        for bad in [
            "wat=1",
            "service.id=x",
            "service.id=",
            "authenticated_userid=",
            "authenticated_userid=a&authenticated_userid=b",
            "authenticated_userid=a&size=1",
        ] {
            assert!(matches!(filter(bad), Err(CatalogError::InvalidOption { .. })), "{bad}");
        }
    }
}
