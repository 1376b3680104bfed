//! Rules of single values and across fields, in files by topic.
//!
//! **Invariants:** pure; null and values of the wrong type pass (the type is judged elsewhere, once).
//!
//! **Absent on purpose:** which field has which rule: the entities say that.

mod across;
mod certificates;
mod hosts;
mod names;
mod paths;
mod people;
mod uris;

pub use across::{all_or_none, at_least_one_of, exclusive_sets, is_nonempty, only_one_of};
pub use certificates::{authority, certificate, digest, key_matches, private_key};
pub use hosts::{host, route_host, sni, wildcard_sni};
pub use names::{header_field, header_name, method, name, tag};
pub use paths::{regex, route_path, service_path};
pub use people::{email, json_object};
pub use uris::{SplitUrl, redirect_uri, split_url};
