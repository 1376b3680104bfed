//! Every link inside of the repository leads somewhere.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::markdown::Document;
use super::{documents, root, tell};

/// The place a relative target means, from the root; `None` when it leads out of the repository.
fn place(from: &str, target: &str) -> Option<PathBuf> {
    let mut path = Path::new(from).parent().unwrap().to_path_buf();
    for part in Path::new(target).components() {
        let stays = match part {
            Component::ParentDir => path.pop(),
            Component::Normal(name) => {
                path.push(name);
                true
            }
            _ => true,
        };
        if !stays {
            return None;
        }
    }
    Some(path)
}

fn fault(document: &Document, target: &str, anchors: &BTreeMap<String, Vec<String>>) -> Option<String> {
    if ["http://", "https://", "mailto:"].iter().any(|scheme| target.starts_with(scheme)) {
        return None;
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let inside = if file.is_empty() { Some(PathBuf::from(&document.name)) } else { place(&document.name, file) };
    let Some(path) = inside else { return Some("leads out of the repository".into()) };
    if !file.is_empty() && !root().join(&path).exists() {
        return Some(format!("there is no {}", path.display()));
    }
    let known = anchors.get(path.to_str()?);
    match (anchor, known) {
        (Some(anchor), Some(known)) if !known.iter().any(|one| one == anchor) => {
            Some(format!("{} has no #{anchor}", path.display()))
        }
        _ => None,
    }
}

#[test]
fn every_link_leads_somewhere() {
    let documents = documents();
    let anchors = documents.iter().map(|document| (document.name.clone(), document.anchors())).collect();
    let mut faults = Vec::new();
    for document in &documents {
        for (line, target) in document.links() {
            if let Some(fault) = fault(document, &target, &anchors) {
                faults.push(format!("{}:{line}: {target}: {fault}", document.name));
            }
        }
    }
    tell("links that lead nowhere", &faults);
}

/// Every page is reached from the README, so that nobody has to know that it exists.
#[test]
fn every_page_of_docs_is_reached_from_the_readme() {
    let documents = documents();
    let mut reached = vec!["README.md".to_owned()];
    let mut next = 0;
    while next < reached.len() {
        if let Some(document) = documents.iter().find(|document| document.name == reached[next]) {
            for (_, target) in document.links() {
                let file = target.split('#').next().unwrap_or_default();
                let path = place(&document.name, file).map(|path| path.to_string_lossy().into_owned());
                // A link to a folder shows what is in it.
                let inside = |name: &String| {
                    path.as_ref().is_some_and(|path| name == path || name.starts_with(&format!("{path}/")))
                };
                let new: Vec<String> = documents.iter().map(|document| document.name.clone()).filter(inside).collect();
                reached.extend(new.into_iter().filter(|name| !reached.contains(name)).collect::<Vec<_>>());
            }
        }
        next += 1;
    }
    let lost =
        documents.iter().filter(|document| document.name.starts_with("docs/") && !reached.contains(&document.name));
    tell("pages nobody finds", &lost.map(|document| document.name.clone()).collect::<Vec<_>>());
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let page =
        Document::parse("docs/x.md", "# Here\n[a](y.md) [b](#here) [c](#there) [d](../README.md) [e](../../out.md)\n");
    let anchors = BTreeMap::from([("docs/x.md".to_owned(), page.anchors())]);
    let faults: Vec<_> = page
        .links()
        .iter()
        .filter(|(_, target)| fault(&page, target, &anchors).is_some())
        .map(|link| link.1.clone())
        .collect();
    assert_eq!(faults, ["y.md", "#there", "../../out.md"]);
}
