//! Lists: filters, tags, pages, totals.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use uuid::Uuid;

use super::{Catalog, CatalogError, hooks};
use crate::schema::{Entity, Schema};
use crate::storage::{ListQuery, Order, Page, TagFilter};

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
    /// A field of [`Schema::sorts`]; `None`: `created_at`.
    pub sort_by: Option<String>,
    /// `true`: the last one first.
    pub sort_desc: Option<String>,
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
    /// An offset, a size or tags that do not read; a filter or an order that the entity does not have.
    pub async fn list(&self, schema: &Schema, request: &ListRequest) -> Result<Listing, CatalogError> {
        let query = question(schema, request)?;
        let page = self.store.list(schema, &query).await?;
        let offset = next_offset(&query.order, &page);
        let total = match (query.after, &page.next) {
            (None, None) => page.data.len() as u64,
            _ => self.store.count(schema, &ListQuery { after: None, ..query }, MAX_TOTAL).await?,
        };
        let mut data = Vec::with_capacity(page.data.len());
        for entity in page.data {
            data.push(self.shown(schema, &hooks::restored(&self.registry, schema.name, entity)).await?);
        }
        Ok(Listing { data, offset, total: (total <= MAX_TOTAL).then_some(total) })
    }
}

/// What the store is asked for.
fn question(schema: &Schema, request: &ListRequest) -> Result<ListQuery, CatalogError> {
    let size = size(request.size.as_deref())?;
    let after = request.offset.as_deref().map(parse_place).transpose()?;
    let tags = match request.tags.as_deref() {
        Some(_) if schema.field("tags").is_none() => return Err(wrong_option("tags", "cannot be filtered by tags")),
        tags => tag_filter(tags)?,
    };
    let order = order(schema, request, after.as_ref().map(|(_, text)| text.clone()))?;
    let mut filters =
        request.filters.iter().map(|filter| hooks::filter(schema, filter)).collect::<Result<Vec<_>, _>>()?;
    filters.extend(hooks::scope(schema));
    Ok(ListQuery { filters, tags, order, after: after.map(|(id, _)| id), size })
}

fn order(schema: &Schema, request: &ListRequest, after: Option<String>) -> Result<Order, CatalogError> {
    let descending = descending(request)?;
    let sorted_by = |name: &str| {
        let known = schema.sorts.iter().find(|known| **known == name);
        known.ok_or_else(|| wrong_option("sort_by", &format!("expected one of: {}", schema.sorts.join(", "))))
    };
    match request.sort_by.as_deref().map(sorted_by).transpose()? {
        None | Some(&"created_at") => Ok(if descending { Order::Newest } else { Order::Oldest }),
        Some(field) => Ok(Order::By { field, descending, after }),
    }
}

/// Whether the last one comes first.
pub(in crate::engine) fn descending(request: &ListRequest) -> Result<bool, CatalogError> {
    match request.sort_desc.as_deref() {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1" | "") => Ok(true),
        Some(_) => Err(wrong_option("sort_desc", "expected a boolean")),
    }
}

/// What to send as `offset` to go on after the last row of a page.
fn next_offset(order: &Order, page: &Page) -> Option<String> {
    let id = page.next?;
    let text = match order {
        Order::By { field, .. } => page.data.last().and_then(|entity| entity.get(*field)?.as_str()),
        Order::Oldest | Order::Newest => None,
    };
    Some(place(id, text.unwrap_or_default()))
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
    place(id, "")
}

/// The same for lists that are sorted by a text: that of the last row.
pub(in crate::engine) fn place(id: Uuid, text: &str) -> String {
    URL_SAFE_NO_PAD.encode([id.as_bytes(), text.as_bytes()].concat())
}

/// The id behind an offset.
///
/// # Errors
/// [`CatalogError::InvalidOffset`]
pub fn parse_offset(text: &str) -> Result<Uuid, CatalogError> {
    parse_place(text).map(|(id, _)| id)
}

pub(in crate::engine) fn parse_place(given: &str) -> Result<(Uuid, String), CatalogError> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(given).ok()?;
        let (id, text) = bytes.split_at_checked(size_of::<Uuid>())?;
        Some((Uuid::from_slice(id).ok()?, String::from_utf8(text.to_vec()).ok()?))
    };
    read().filter(|(_, text)| !text.contains('\0')).ok_or_else(|| CatalogError::InvalidOffset(given.to_owned()))
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
        return Err(wrong_option("tags", "invalid filter syntax"));
    }
    Ok(if any { TagFilter::Any(tags) } else { TagFilter::All(tags) })
}

pub(in crate::engine) fn wrong_option(option: &str, text: &str) -> CatalogError {
    CatalogError::InvalidOption { option: option.to_owned(), text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_read_as_it_was_written() {
        let id = Uuid::from_u128(7);
        assert_eq!(parse_offset(&offset(id)).unwrap(), id);
        assert_eq!(parse_place(&place(id, "día")).unwrap(), (id, "día".to_owned()));
        for bad in ["x", "", &place(id, "a\0")] {
            assert!(matches!(parse_offset(bad), Err(CatalogError::InvalidOffset(_))), "{bad}");
        }
    }

    #[test]
    fn lists_are_sorted_by_what_the_schema_says() {
        let schema = Schema::new("things", "", Vec::new()).sorts(&["created_at", "name"]);
        let asked = |by: &str, descending: &str| ListRequest {
            sort_by: Some(by.to_owned()),
            sort_desc: Some(descending.to_owned()),
            ..ListRequest::default()
        };
        assert_eq!(order(&schema, &asked("created_at", "true"), None).unwrap(), Order::Newest);
        let by_name = Order::By { field: "name", descending: false, after: Some("x".to_owned()) };
        assert_eq!(order(&schema, &asked("name", "false"), Some("x".to_owned())).unwrap(), by_name);
        for (by, descending) in [("email", "true"), ("name", "maybe")] {
            assert!(matches!(order(&schema, &asked(by, descending), None), Err(CatalogError::InvalidOption { .. })));
        }
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
