//! Lists in pages: what is asked of the engine, and where a page goes on.

use super::views::{Paging, Tab};
use super::visit::Visit;
use crate::engine::catalog::{ListRequest, Listing};

/// Rows of a page.
pub(super) const SIZE: usize = 50;

/// The page of a list that the query asks for; `newest`: the last one first.
pub(super) fn request(visit: &Visit, newest: bool) -> ListRequest {
    ListRequest {
        size: Some(SIZE.to_string()),
        offset: visit.query.filled("offset"),
        sort_desc: newest.then(|| "true".to_owned()),
        ..ListRequest::default()
    }
}

/// A path with the parameters that are not empty.
pub(super) fn with(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Where a list goes on that is narrowed by `parameters`.
pub(super) fn paging(visit: &Visit, listing: &Listing, path: &str, parameters: &[(&str, &str)]) -> Paging {
    from(visit, listing.offset.as_deref(), path, parameters)
}

pub(super) fn from(visit: &Visit, next: Option<&str>, path: &str, parameters: &[(&str, &str)]) -> Paging {
    let at = |offset: &str| with(path, &[parameters, &[("offset", offset)]].concat());
    Paging { first: visit.query.filled("offset").map(|_| with(path, parameters)), next: next.map(at) }
}

/// Tabs that choose one word of a parameter.
pub(super) fn tabs(path: &str, parameter: &str, words: &[(&str, &str)], chosen: &str) -> Vec<Tab> {
    let tab = |(word, text): &(&str, &str)| Tab {
        path: with(path, &[(parameter, *word)]),
        text: (*text).to_owned(),
        is_chosen: *word == chosen,
    };
    words.iter().map(tab).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_escaped_and_empty_ones_left_out() {
        assert_eq!(with("/console/x", &[("a", ""), ("b", "")]), "/console/x");
        assert_eq!(with("/console/x", &[("a", "1&b=\"<é"), ("c", "")]), "/console/x?a=1%26b%3D%22%3C%C3%A9");
    }
}
