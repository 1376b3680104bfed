//! What every mail looks like, as text and as HTML.

use askama::Template;

use super::Mail;
use crate::domain::Secret;

/// The parts of a mail, in the order they stand.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub subject: String,
    pub paragraphs: Vec<String>,
    /// What the recipient can do: the words of the button, and where it leads.
    pub action: Option<(&'static str, String)>,
    /// What somebody wrote, as they wrote it.
    pub note: Option<String>,
    /// Why this mail came, and what to do when it was not asked for.
    pub closing: String,
}

#[derive(Template)]
#[template(
    ext = "txt",
    source = "{% for paragraph in paragraphs %}{{ paragraph }}

{% endfor %}{% if let Some(note) = note %}{% for line in note.lines() %}> {{ line }}
{% endfor %}
{% endif %}{% if let Some((label, link)) = action %}{{ label }}:
{{ link }}

{% endif %}--
{{ closing }}
"
)]
struct Text<'p> {
    paragraphs: &'p [String],
    action: &'p Option<(&'static str, String)>,
    note: &'p Option<String>,
    closing: &'p str,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{{ subject }}</title></head>
<body style="margin:0;padding:24px;background:#f4f5f7;font-family:sans-serif;font-size:16px;line-height:1.5;color:#1c2128">
<div style="max-width:560px;margin:0 auto;padding:24px;background:#ffffff;border-radius:8px">
{% for paragraph in paragraphs %}<p>{{ paragraph }}</p>
{% endfor %}{% if let Some(note) = note %}<blockquote style="margin:16px 0;padding:0 16px;border-left:4px solid #d0d7de;white-space:pre-wrap">{{ note }}</blockquote>
{% endif %}{% if let Some((label, link)) = action %}<p><a href="{{ link }}" style="display:inline-block;padding:10px 20px;background:#1f5fbf;color:#ffffff;text-decoration:none;border-radius:6px">{{ label }}</a></p>
<p style="font-size:13px;color:#57606a">Or open this address:<br><span style="word-break:break-all">{{ link }}</span></p>
{% endif %}<p style="font-size:13px;color:#57606a">{{ closing }}</p>
</div>
</body>
</html>
"#
)]
struct Html<'p> {
    subject: &'p str,
    paragraphs: &'p [String],
    action: &'p Option<(&'static str, String)>,
    note: &'p Option<String>,
    closing: &'p str,
}

impl Page {
    pub(super) fn mail(&self, to: &str) -> Mail {
        let Self { subject, paragraphs, action, note, closing } = self;
        let text = Text { paragraphs, action, note, closing }.render();
        let html = Html { subject, paragraphs, action, note, closing }.render();
        let written = |outcome: Result<String, askama::Error>| Secret::new(outcome.expect("memory takes every text"));
        Mail { to: to.to_owned(), subject: subject.clone(), text: written(text), html: written(html) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        Page {
            subject: "S & T".into(),
            paragraphs: vec!["Hello <b>you</b>.".into(), "Second.".into()],
            action: Some(("Open", "https://p.example/x?token=a&b".into())),
            note: Some("one\ntwo <script>".into()),
            closing: "Bye.".into(),
        }
    }

    #[test]
    fn the_text_is_as_it_was_written() {
        let mail = page().mail("a@b");
        let expected = "Hello <b>you</b>.\n\nSecond.\n\n> one\n> two <script>\n\nOpen:\n\
            https://p.example/x?token=a&b\n\n--\nBye.\n";
        assert_eq!(mail.text.reveal(), expected);
        let bare = Page { action: None, note: None, ..page() }.mail("a@b");
        assert_eq!(bare.text.reveal(), "Hello <b>you</b>.\n\nSecond.\n\n--\nBye.\n");
    }

    #[test]
    fn html_is_escaped() {
        let mail = page().mail("a@b");
        let html = mail.html.reveal();
        assert!(!html.contains("<b>") && !html.contains("<script>"), "{html}");
        assert!(html.contains("Hello &#60;b&#62;you") && html.contains("token=a&#38;b"), "{html}");
    }
}
