//! The path the upstream sees: Kong's two ways to join a service path with what is left of a request path.

use super::spec::PathHandling;

/// What of a request path the route's own path matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joint<'p> {
    pub handling: PathHandling,
    pub strip: bool,
    /// Bytes of the request path that the route's path matched; `None` when the route has no paths.
    pub matched: Option<usize>,
    pub service_path: &'p [u8],
}

/// Appends the path for the upstream, not yet escaped. `path` is normalised.
pub fn join_into(joint: &Joint<'_>, path: &[u8], out: &mut Vec<u8>) {
    let base = if joint.service_path.is_empty() { b"/" } else { joint.service_path };
    let after_slash = path.get(1..).unwrap_or_default();
    let rest = match joint.matched {
        Some(length) => path.get(length..).unwrap_or_default(),
        None => after_slash,
    };
    match joint.handling {
        PathHandling::V0 if joint.strip => stripped_v0(base, rest, path, out),
        PathHandling::V0 if base.ends_with(b"/") => extend(out, base, after_slash),
        PathHandling::V0 if path == b"/" => extend(out, base, b""),
        PathHandling::V0 => extend(out, base, path),
        PathHandling::V1 if joint.strip => {
            let double = base.ends_with(b"/") && rest.starts_with(b"/");
            extend(out, if double { &base[..base.len() - 1] } else { base }, rest);
        }
        PathHandling::V1 => extend(out, base, after_slash),
    }
}

fn stripped_v0(base: &[u8], rest: &[u8], path: &[u8], out: &mut Vec<u8>) {
    let ends_in_slash = base.ends_with(b"/");
    if rest.is_empty() {
        let asked_for_slash = path.ends_with(b"/");
        match (ends_in_slash, asked_for_slash) {
            (true, false) if base.len() > 1 => extend(out, &base[..base.len() - 1], b""),
            (false, true) if path.len() > 1 => extend(out, base, b"/"),
            _ => extend(out, base, b""),
        }
        return;
    }
    match (ends_in_slash, rest.starts_with(b"/")) {
        (true, true) => extend(out, &base[..base.len() - 1], rest),
        (false, false) => {
            extend(out, base, b"/");
            out.extend_from_slice(rest);
        }
        (true, false) | (false, true) => extend(out, base, rest),
    }
}

fn extend(out: &mut Vec<u8>, first: &[u8], second: &[u8]) {
    out.extend_from_slice(first);
    out.extend_from_slice(second);
}
