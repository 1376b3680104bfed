//! Lists: filters, tags, pages, totals.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use uuid::Uuid;

use super::{Catalog, CatalogError, hooks};
use crate::schema::{Entity, Schema};
use crate::storage::{ListQuery, TagFilter};

/// Above this a total is not counted out.
const MAX_TOTAL: u64 = 100_000;
const MAX_SIZE: usize = 1000;
const DEFAULT_SIZE: usize = 100;
const MAX_TAGS: usize = 100;

/// A list as a client asks for it.
#[derive(Clone, Debug, Default)]
pub struct ListRequest {
    /// Field (`client_id`, `credential.id`) and value.
    pub filters: Vec<(String, Value)>,
    /// `a,b`: all; `a/b`: any.
    pub tags: Option<String>,
    pub size: Option<String>,
    pub offset: Option<String>,
}

/// A page of entities as clients see them.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    pub data: Vec<Entity>,
    /// What to send as `offset` for the next page.
    pub offset: Option<String>,
    /// `None`: too many to count.
    pub total: Option<u64>,
}

impl Catalog {
    /// # Errors
    /// An offset, a size or tags that do not read; a filter that the entity does not have.
    pub async fn list(&self, schema: &Schema, request: &ListRequest) -> Result<Listing, CatalogError> {
        let size = size(request.size.as_deref())?;
        let after = request.offset.as_deref().map(parse_offset).transpose()?;
        let tags = match request.tags.as_deref() {
            Some(_) if schema.field("tags").is_none() => return Err(invalid("tags", "cannot be filtered by tags")),
            tags => tag_filter(tags)?,
        };
        let query = ListQuery { filters: request.filters.clone(), tags, after, size };
        let page = self.store.list(schema, &query).await?;
        let total = match (after, &page.next) {
            (None, None) => page.data.len() as u64,
            _ => self.store.count(schema, &ListQuery { after: None, ..query }, MAX_TOTAL).await?,
        };
        let mut data = Vec::with_capacity(page.data.len());
        for entity in page.data {
            data.push(self.shown(schema, &hooks::restored(&self.registry, schema.name, entity)).await?);
        }
        Ok(Listing { data, offset: page.next.map(offset), total: (total <= MAX_TOTAL).then_some(total) })
    }
}

/// The size of a page, from a query parameter.
///
/// # Errors
/// [`CatalogError::InvalidSize`]
pub fn size(text: Option<&str>) -> Result<usize, CatalogError> {
    let Some(text) = text else { return Ok(DEFAULT_SIZE) };
    text.parse().ok().filter(|size| (1..=MAX_SIZE).contains(size)).ok_or(CatalogError::InvalidSize)
}

/// What a client sends back to go on after an id.
pub fn offset(id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(id)
}

/// The id behind an offset.
///
/// # Errors
/// [`CatalogError::InvalidOffset`]
pub fn parse_offset(text: &str) -> Result<Uuid, CatalogError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| Uuid::from_slice(&bytes).ok());
    bytes.ok_or_else(|| CatalogError::InvalidOffset(text.to_owned()))
}

/// Reads `a,b` (all) or `a/b` (any); both at once have no meaning.
///
/// # Errors
/// [`CatalogError::InvalidOption`]
pub fn tag_filter(text: Option<&str>) -> Result<TagFilter, CatalogError> {
    let Some(text) = text else { return Ok(TagFilter::None) };
    let mixed = text.contains(',') && text.contains('/');
    let tags = |separator| text.split(separator).map(str::to_owned).collect::<Vec<_>>();
    let (any, tags) = if text.contains('/') { (true, tags('/')) } else { (false, tags(',')) };
    if mixed || tags.len() > MAX_TAGS || tags.iter().any(String::is_empty) {
        return Err(invalid("tags", "invalid filter syntax"));
    }
    Ok(if any { TagFilter::Any(tags) } else { TagFilter::All(tags) })
}

pub(super) fn invalid(option: &str, text: &str) -> CatalogError {
    CatalogError::InvalidOption { option: option.to_owned(), text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_read_as_it_was_written() {
        let id = Uuid::from_u128(7);
        assert_eq!(parse_offset(&offset(id)).unwrap(), id);
        assert!(matches!(parse_offset("x"), Err(CatalogError::InvalidOffset(_))));
    }

    #[test]
    fn sizes_stand_between_one_and_a_thousand() {
        assert_eq!(size(None).unwrap(), 100);
        assert_eq!(size(Some("1000")).unwrap(), 1000);
        for bad in ["0", "1001", "-1", "x", ""] {
            assert!(matches!(size(Some(bad)), Err(CatalogError::InvalidSize)), "{bad}");
        }
    }

    #[test]
    fn a_comma_asks_for_all_tags_and_a_slash_for_any() {
        assert_eq!(tag_filter(Some("a,b")).unwrap(), TagFilter::All(vec!["a".into(), "b".into()]));
        assert_eq!(tag_filter(Some("a/b")).unwrap(), TagFilter::Any(vec!["a".into(), "b".into()]));
        for bad in ["a,b/c", "", "a,,b"] {
            assert!(matches!(tag_filter(Some(bad)), Err(CatalogError::InvalidOption { .. })), "{bad}");
        }
    }
}
