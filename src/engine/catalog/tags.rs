//! Tags over all entities.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::list::size;
use super::{Catalog, CatalogError, ListRequest};
use crate::schema::Schema;
use crate::storage::Tagged;

/// A page of tags, and what to send as `offset` for the next one.
#[derive(Clone, Debug, PartialEq)]
pub struct TagPage {
    pub data: Vec<Tagged>,
    pub offset: Option<String>,
}

impl Catalog {
    /// Every tag, or the entities that have this one.
    ///
    /// # Errors
    /// An offset or a size that does not read.
    pub async fn tags(&self, tag: Option<&str>, request: &ListRequest) -> Result<TagPage, CatalogError> {
        let size = size(request.size.as_deref())?;
        let after = request.offset.as_deref().map(parse).transpose()?;
        let schemas: Vec<&Schema> =
            self.registry.entities.iter().filter(|schema| schema.field("tags").is_some()).collect();
        let mut data = self.store.list_tags(&schemas, tag, after.as_ref(), size + 1).await?;
        let more = data.len() > size;
        data.truncate(size);
        let offset = data.last().filter(|_| more).map(encode);
        Ok(TagPage { data, offset })
    }

    /// Names of the plugins that are configured anywhere, sorted.
    ///
    /// # Errors
    /// The store failed.
    pub async fn plugins_in_use(&self) -> Result<Vec<String>, CatalogError> {
        let schema = self.schema("plugins")?;
        let mut query = crate::storage::ListQuery { size: 1000, ..Default::default() };
        let mut names = Vec::new();
        loop {
            let page = self.store.list(schema, &query).await?;
            names.extend(page.data.iter().filter_map(|plugin| Some(plugin.get("name")?.as_str()?.to_owned())));
            names.sort();
            names.dedup();
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(names),
            }
        }
    }
}

fn encode(tagged: &Tagged) -> String {
    URL_SAFE_NO_PAD.encode(json!([tagged.entity, tagged.id.to_string(), tagged.tag]).to_string())
}

fn parse(text: &str) -> Result<Tagged, CatalogError> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let parts: Value = serde_json::from_slice(&bytes).ok()?;
        let part = |place: usize| parts.get(place)?.as_str().map(str::to_owned);
        Some(Tagged { entity: part(0)?, id: part(1)?.parse().ok()?, tag: part(2)? })
    };
    read().filter(|tagged| !tagged.tag.contains('\0')).ok_or_else(|| CatalogError::InvalidOffset(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_offset_is_read_as_it_was_written() {
        let tagged = Tagged { entity: "services".into(), id: Uuid::from_u128(7), tag: "a b".into() };
        assert_eq!(parse(&encode(&tagged)).unwrap(), tagged);
        assert!(matches!(parse("e30"), Err(CatalogError::InvalidOffset(_))));
    }
}
