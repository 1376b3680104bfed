//! `/developers/roles` and one of them.

use crate::admin::entities::{self, Ask, found};
use crate::admin::reply::Reply;
use crate::admin::state::AdminState;
use crate::engine::catalog::CatalogError;
use crate::schema::Verb;

pub(super) async fn many(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    entities::many(state, "developer_roles", None, ask).await
}

pub(super) async fn one(state: &AdminState, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    let key = ask.own_key("developer_role");
    match ask.verb {
        Verb::Patch => found(Some(state.registration.patch_role(&key, ask.body).await?)),
        Verb::Delete => {
            state.registration.delete_role(&key).await?;
            Ok(Reply::empty(204))
        }
        Verb::Get | Verb::Post | Verb::Put => {
            found(state.catalog.find(state.catalog.schema("developer_roles")?, &key, None).await?)
        }
    }
}
