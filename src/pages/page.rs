//! What every page has around its content.

use super::assets;

/// A set of pages under one header: the portal, or the console.
#[derive(Debug)]
pub struct Site {
    pub name: &'static str,
    pub home: &'static str,
    /// Where the name of who is logged in leads; empty: nowhere.
    pub account: &'static str,
    pub log_out: &'static str,
    /// Where its assets are served; without a slash at the end.
    pub assets: &'static str,
    pub foot: &'static str,
    pub public: &'static [Link],
    pub private: &'static [Link],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub path: &'static str,
    pub text: &'static str,
}

impl Site {
    /// The path of a file that pages load.
    pub fn asset(&self, name: &str) -> String {
        assets::path(self.assets, name)
    }

    pub fn links(&self, logged_in: bool) -> &'static [Link] {
        if logged_in { self.private } else { self.public }
    }
}

/// How a notice sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Wait,
    Bad,
}

impl Tone {
    /// Its class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Wait => "wait",
            Self::Bad => "bad",
        }
    }
}

/// A sentence above the content: what the last act did, or why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub tone: Tone,
    pub text: String,
}

impl Notice {
    pub fn good(text: impl Into<String>) -> Self {
        Self { tone: Tone::Good, text: text.into() }
    }

    pub fn wait(text: impl Into<String>) -> Self {
        Self { tone: Tone::Wait, text: text.into() }
    }

    pub fn bad(text: impl Into<String>) -> Self {
        Self { tone: Tone::Bad, text: text.into() }
    }
}

/// The frame of one page.
#[derive(Clone, Debug)]
pub struct Page {
    pub site: &'static Site,
    pub title: String,
    /// The path of the menu entry it belongs to.
    pub section: &'static str,
    /// Who is logged in.
    pub who: Option<String>,
    /// The CSRF token of this session's or visitor's forms.
    pub csrf: String,
    pub notice: Option<Notice>,
    /// One column of a form's width.
    pub narrow: bool,
}

impl Page {
    pub fn new(site: &'static Site, title: impl Into<String>, csrf: impl Into<String>) -> Self {
        let (title, csrf) = (title.into(), csrf.into());
        Self { site, title, section: "", who: None, csrf, notice: None, narrow: false }
    }

    #[must_use]
    pub fn of(mut self, who: impl Into<String>) -> Self {
        self.who = Some(who.into());
        self
    }

    #[must_use]
    pub fn section(mut self, path: &'static str) -> Self {
        self.section = path;
        self
    }

    #[must_use]
    pub fn notice(mut self, notice: Option<Notice>) -> Self {
        self.notice = notice;
        self
    }

    #[must_use]
    pub fn narrow(mut self) -> Self {
        self.narrow = true;
        self
    }
}
