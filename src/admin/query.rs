//! Query strings of lists.

use serde_json::Value;

use super::reply::Reply;
use crate::engine::catalog::{CatalogError, ListRequest};
use crate::schema::Schema;

/// What a list is asked for, and the query to give to the next page.
pub(super) struct Asked {
    pub request: ListRequest,
    /// The given parameters except `offset`, encoded.
    kept: String,
}

impl Asked {
    /// # Errors
    /// An unknown parameter, where the entity refuses those.
    pub(super) fn read(query: &str, schema: Option<&Schema>) -> Result<Self, Reply> {
        let mut request = ListRequest::default();
        let mut kept = form_urlencoded::Serializer::new(String::new());
        let filters = schema.map(|schema| schema.filters.as_slice()).unwrap_or_default();
        let sortable = schema.is_some_and(|schema| !schema.sorts.is_empty());
        let strict = schema.is_some_and(|schema| schema.strict_filters);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "size" => request.size = Some(value.clone().into_owned()),
                "tags" => request.tags = Some(value.clone().into_owned()),
                "offset" => {
                    request.offset = Some(value.into_owned());
                    continue;
                }
                "sort_by" if sortable => request.sort_by = Some(value.clone().into_owned()),
                "sort_desc" if sortable => request.sort_desc = Some(value.clone().into_owned()),
                filter if filters.contains(&filter) => {
                    request.filters.push((filter.to_owned(), Value::String(value.clone().into_owned())));
                }
                unknown if strict => {
                    let (option, text) = (unknown.to_owned(), "unknown filter".to_owned());
                    return Err(super::errors::reply(&CatalogError::InvalidOption { option, text }));
                }
                _ => continue,
            }
            kept.append_pair(&name, &value);
        }
        Ok(Self { request, kept: kept.finish() })
    }

    /// The path of the page that begins at `offset`.
    pub(super) fn next(&self, path: &str, offset: Option<&str>) -> Value {
        let Some(offset) = offset else { return Value::Null };
        let joint = if self.kept.is_empty() { "" } else { "&" };
        format!("{path}?{}{joint}offset={offset}", self.kept).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Registry;

    #[test]
    fn the_next_page_keeps_what_was_asked() {
        let asked = Asked::read("size=2&tags=a%2Cb&offset=old", None).ok().unwrap();
        assert_eq!(asked.next("/services", Some("new")), "/services?size=2&tags=a%2Cb&offset=new");
        assert_eq!(asked.next("/services", None), Value::Null);
        assert_eq!(asked.request.offset.as_deref(), Some("old"));
    }

    #[test]
    fn a_token_list_refuses_what_it_cannot_filter_by() {
        let registry = Registry::new(Vec::new());
        let tokens = registry.entity("oauth2_tokens");
        assert!(Asked::read("credential.id=1", tokens).is_ok());
        assert_eq!(Asked::read("wat=1", tokens).err().unwrap().status, 400);
        assert!(Asked::read("wat=1", registry.entity("services")).is_ok());
    }
}
