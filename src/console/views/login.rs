//! The log-in.

use askama::Template;

use crate::pages::Page;

#[derive(Template)]
#[template(path = "console/login.html", config = "src/pages/askama.toml")]
pub struct LoginPage {
    pub page: Page,
    /// A path of the console to go on to.
    pub next: String,
}
