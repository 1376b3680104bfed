//! From a path to an endpoint.

use crate::schema::{Endpoint, Verb};

/// Every endpoint with its template split.
pub(super) struct Paths(Vec<(Vec<Segment>, Endpoint)>);

enum Segment {
    Literal(String),
    Parameter,
}

/// An endpoint and the decoded parameters of its path.
pub(super) struct Found<'p> {
    pub endpoint: &'p Endpoint,
    pub parameters: Vec<String>,
}

impl Found<'_> {
    /// What stands in the path where the template has `{name}`.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let names = self.endpoint.path.split('/').filter_map(parameter);
        names.zip(&self.parameters).find(|(known, _)| *known == name).map(|(_, text)| text.as_str())
    }
}

impl Paths {
    pub(super) fn new(endpoints: Vec<Endpoint>) -> Self {
        Self(endpoints.into_iter().map(|endpoint| (split_template(&endpoint.path), endpoint)).collect())
    }

    pub(super) fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.0.iter().map(|(_, endpoint)| endpoint)
    }

    /// The endpoint of a raw path. `None` also where an escape is no UTF-8: nothing can be called that.
    pub(super) fn find(&self, path: &str) -> Option<Found<'_>> {
        let segments = split_path(path)?;
        let fits = self.0.iter().filter(|(template, _)| matches(template, &segments));
        let (template, endpoint) = fits.min_by_key(|(template, _)| specificity(template))?;
        let parameters = template.iter().zip(segments).filter(|(segment, _)| matches!(segment, Segment::Parameter));
        Some(Found { endpoint, parameters: parameters.map(|(_, text)| text).collect() })
    }
}

/// The name in `{name}`.
pub(super) fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn split_template(path: &str) -> Vec<Segment> {
    let segment = |text: &str| match parameter(text) {
        Some(_) => Segment::Parameter,
        None => Segment::Literal(text.to_owned()),
    };
    path.split('/').filter(|text| !text.is_empty()).map(segment).collect()
}

/// Decoded segments; one slash at the end means nothing.
fn split_path(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Some(Vec::new());
    }
    let decoded = |text: &str| {
        let bytes = percent_encoding::percent_decode_str(text).decode_utf8().ok()?;
        (!bytes.is_empty()).then(|| bytes.into_owned())
    };
    path.split('/').map(decoded).collect()
}

fn matches(template: &[Segment], segments: &[String]) -> bool {
    let same = |(segment, text): (&Segment, &String)| match segment {
        Segment::Literal(literal) => literal == text,
        Segment::Parameter => true,
    };
    template.len() == segments.len() && template.iter().zip(segments).all(same)
}

/// Literals win over parameters, from the left.
fn specificity(template: &[Segment]) -> Vec<bool> {
    template.iter().map(|segment| matches!(segment, Segment::Parameter)).collect()
}

/// `GET, HEAD, OPTIONS, POST`
pub(super) fn allow(verbs: &[Verb]) -> String {
    let mut names: Vec<&str> = verbs.iter().map(|verb| verb.name()).collect();
    if verbs.contains(&Verb::Get) {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    names.sort_unstable();
    names.join(", ")
}

/// The verb a method asks for; HEAD is a GET whose body is not sent.
pub(super) fn verb(method: &str) -> Option<Verb> {
    match method {
        "GET" | "HEAD" => Some(Verb::Get),
        "POST" => Some(Verb::Post),
        "PUT" => Some(Verb::Put),
        "PATCH" => Some(Verb::Patch),
        "DELETE" => Some(Verb::Delete),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Registry;

    fn find(path: &str) -> Option<(String, Vec<String>)> {
        let paths = Paths::new(Registry::new(Vec::new()).endpoints());
        paths.find(path).map(|found| (found.endpoint.path.clone(), found.parameters))
    }

    #[test]
    fn literals_win_over_parameters() {
        assert_eq!(find("/plugins/enabled").unwrap().0, "/plugins/enabled");
        assert_eq!(find("/plugins/other").unwrap().0, "/plugins/{plugin}");
        assert_eq!(find("/schemas/plugins/validate").unwrap().0, "/schemas/plugins/validate");
        assert_eq!(find("/schemas/routes/validate").unwrap().0, "/schemas/{entity}/validate");
        assert_eq!(find("/schemas/plugins/oauth2").unwrap().0, "/schemas/plugins/{plugin}");
    }

    #[test]
    fn keys_are_decoded_after_the_path_is_split() {
        assert_eq!(find("/services/a%2Fb").unwrap().1, ["a/b"]);
        assert_eq!(find("/services/d%C3%ADa/routes").unwrap().1, ["día"]);
        assert!(find("/services/%ff").is_none());
        assert!(find("/services//routes").is_none());
    }

    #[test]
    fn one_slash_at_the_end_means_nothing() {
        assert_eq!(find("/services/").unwrap().0, "/services");
        assert_eq!(find("/").unwrap().0, "/");
        assert!(find("/nothing").is_none());
    }

    #[test]
    fn reading_allows_head_too() {
        assert_eq!(allow(&[Verb::Get, Verb::Post]), "GET, HEAD, OPTIONS, POST");
        assert_eq!(allow(&[Verb::Post]), "OPTIONS, POST");
    }
}
