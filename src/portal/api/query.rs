//! Query strings.

use actix_web::HttpRequest;
use serde_json::{Map, Value};

use super::super::reply::Reply;
use crate::engine::catalog::{CatalogError, ListRequest};

/// What a list is asked for. Parameters that nobody knows are passed over, as Kong does.
pub(super) struct Asked {
    pub request: ListRequest,
    path: String,
    pairs: Vec<(String, String)>,
}

impl Asked {
    /// `filters`: the parameters that are filters of the list.
    pub(super) fn read(request: &HttpRequest, filters: &[&str]) -> Self {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(request.query_string().as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let mut asked = ListRequest::default();
        for (name, value) in &pairs {
            match name.as_str() {
                "size" => asked.size = Some(value.clone()),
                "offset" => asked.offset = Some(value.clone()),
                "sort_by" => asked.sort_by = Some(value.clone()),
                "sort_desc" => asked.sort_desc = Some(value.clone()),
                name if filters.contains(&name) => asked.filters.push((name.to_owned(), value.as_str().into())),
                _ => {}
            }
        }
        Self { request: asked, path: request.path().to_owned(), pairs }
    }

    /// The last value of a parameter; an empty one is none.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let last = self.pairs.iter().rfind(|(known, _)| known == name);
        last.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A parameter that is a whole number.
    ///
    /// # Errors
    /// 400 for any other text.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Reply> {
        let Some(text) = self.parameter(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| wrong(name, "expected an integer"))
    }

    /// A parameter that says yes or no; no where it is missing.
    ///
    /// # Errors
    /// 400 for any other text.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Reply> {
        match self.parameter(name) {
            Some("true" | "1") => Ok(true),
            None | Some("false" | "0") => Ok(false),
            Some(_) => Err(wrong(name, "expected a boolean")),
        }
    }

    /// A page in the envelope of lists; `total`: `None` where there are too many to count.
    pub(super) fn page(&self, data: Vec<Value>, offset: Option<String>, total: Option<u64>) -> Reply {
        let mut page = Map::from_iter([("data".to_owned(), data.into()), ("next".to_owned(), self.next(&offset))]);
        if let Some(offset) = offset {
            page.insert("offset".to_owned(), offset.into());
        }
        if let Some(total) = total {
            page.insert("total".to_owned(), total.into());
        }
        Reply::json(200, Value::Object(page))
    }

    /// The path of the next page, where the same is asked.
    fn next(&self, offset: &Option<String>) -> Value {
        let Some(offset) = offset else { return Value::Null };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.pairs.iter().filter(|(name, _)| name != "offset"));
        format!("{}?{}", self.path, query.append_pair("offset", offset).finish()).into()
    }
}

/// The refusal of a parameter.
pub(super) fn wrong(option: &str, text: &str) -> Reply {
    CatalogError::InvalidOption { option: option.to_owned(), text: text.to_owned() }.into()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::json;

    use super::*;

    fn asked(uri: &str) -> Asked {
        Asked::read(&TestRequest::with_uri(uri).to_http_request(), &["name"])
    }

    #[test]
    fn the_next_page_keeps_what_was_asked() {
        let asked = asked("/api/applications?size=2&name=d%C3%ADa%26&offset=old&wat=1");
        assert_eq!(asked.request.filters, [("name".to_owned(), json!("día&"))]);
        assert_eq!((asked.request.size.as_deref(), asked.request.offset.as_deref()), (Some("2"), Some("old")));
        let page = asked.page(vec![json!(1)], Some("new".to_owned()), Some(3)).body.unwrap();
        assert_eq!(page["next"], "/api/applications?size=2&name=d%C3%ADa%26&wat=1&offset=new");
        assert_eq!((&page["data"], &page["offset"], &page["total"]), (&json!([1]), &json!("new"), &json!(3)));
        assert_eq!(asked.page(Vec::new(), None, None).body.unwrap(), json!({ "data": [], "next": null }));
    }

    #[test]
    fn parameters_are_read_by_their_type() {
        let asked = asked("/?n=-7&flag=1&flag=true&empty=&m=x");
        assert_eq!((asked.number("n").unwrap(), asked.number("empty").unwrap()), (Some(-7), None));
        assert!(asked.flag("flag").unwrap() && !asked.flag("none").unwrap());
        assert_eq!(asked.number("m").unwrap_err().status, 400);
        assert_eq!(asked.flag("m").unwrap_err().body.unwrap()["options"], json!({ "m": "expected a boolean" }));
    }
}
