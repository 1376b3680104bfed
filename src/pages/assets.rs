//! Style, script and mark. Their paths carry a part of their digest, so that browsers may keep them for ever.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use sha2::{Digest, Sha256};

struct Asset {
    name: &'static str,
    kind: &'static str,
    contents: &'static str,
    digest: String,
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        asset("pages.css", "text/css; charset=utf-8", include_str!("assets/pages.css")),
        asset("pages.js", "text/javascript; charset=utf-8", include_str!("assets/pages.js")),
        asset("mark.svg", "image/svg+xml", include_str!("assets/mark.svg")),
    ]
});

fn asset(name: &'static str, kind: &'static str, contents: &'static str) -> Asset {
    let digest = Sha256::digest(contents.as_bytes());
    let digest = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    Asset { name, kind, contents, digest }
}

/// `/assets/0123456789ab/pages.css`
pub(super) fn path(folder: &str, name: &str) -> String {
    let digest = ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| &asset.digest);
    format!("{folder}/{digest}/{name}")
}

/// Answers `<folder>/{digest}/{name}`. An old digest gets today's file, to be asked for again.
pub fn serve(digest: &str, name: &str) -> HttpResponse {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return HttpResponse::NotFound().content_type("text/plain; charset=utf-8").body("Not found");
    };
    let keep = if asset.digest == digest { "public, max-age=31536000, immutable" } else { "no-cache" };
    HttpResponse::Ok()
        .insert_header(("Server", concat!("tollgate/", env!("CARGO_PKG_VERSION"))))
        .insert_header(("Cache-Control", keep))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .content_type(asset.kind)
        .body(asset.contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_found_by_the_paths_that_pages_name() {
        for asset in ASSETS.iter() {
            let path = path("/assets", asset.name);
            let (digest, name) = path.strip_prefix("/assets/").unwrap().split_once('/').unwrap();
            assert_eq!(
                serve(digest, name).headers().get("cache-control").unwrap(),
                "public, max-age=31536000, immutable"
            );
        }
        assert_eq!(serve("old", "pages.css").headers().get("cache-control").unwrap(), "no-cache");
        assert_eq!(serve("old", "../mod.rs").status(), 404);
    }
}
