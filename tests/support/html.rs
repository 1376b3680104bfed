//! Enough of HTML to find forms and what a browser would send of them.

/// A form of a page.
#[derive(Clone, Debug, Default)]
pub struct Form {
    pub action: String,
    pub method: String,
    pub fields: Vec<(String, String)>,
    /// Names and values of boxes that are not ticked.
    pub boxes: Vec<(String, String)>,
}

impl Form {
    #[track_caller]
    pub fn get(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no field {name} in {:?}", self.names())).1
    }

    #[track_caller]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        let names = self.names();
        let found = self.fields.iter_mut().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("no field {name} in {names:?}")).1 = value.to_owned();
        self
    }

    #[track_caller]
    pub fn tick(self, name: &str) -> Self {
        self.tick_value(name, "yes")
    }

    #[track_caller]
    pub fn tick_value(mut self, name: &str, value: &str) -> Self {
        let wanted = (name.to_owned(), value.to_owned());
        assert!(self.boxes.contains(&wanted), "no box {wanted:?} in {:?}", self.boxes);
        self.fields.push(wanted);
        self
    }

    pub fn names(&self) -> Vec<String> {
        self.fields.iter().map(|(name, _)| name.clone()).collect()
    }
}

/// Every form of a page.
pub fn forms(page: &str) -> Vec<Form> {
    between(page, "<form", "</form>").into_iter().map(form).collect()
}

/// The form that is sent to this path.
#[track_caller]
pub fn form_to(page: &str, action: &str) -> Form {
    let all = forms(page);
    let found = all.iter().find(|form| form.action == action).cloned();
    found.unwrap_or_else(|| {
        panic!("no form to {action} among {:?}", all.iter().map(|form| &form.action).collect::<Vec<_>>())
    })
}

/// What is wrong with a field, as its page tells.
pub fn fault(page: &str, field: &str) -> Option<String> {
    let start = format!("id=\"{field}-fault\">");
    let rest = page.split_once(&start)?.1;
    Some(unescape(rest.split_once("</span>")?.0))
}

/// The text inside of tags.
pub fn text(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for letter in html.chars() {
        match letter {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(letter),
            _ => {}
        }
    }
    unescape(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn between<'p>(page: &'p str, start: &str, end: &str) -> Vec<&'p str> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once(start) {
        let (inside, after) = after.split_once(end).expect("an element that ends");
        found.push(inside);
        rest = after;
    }
    found
}

fn form(html: &str) -> Form {
    let (head, mut rest) = html.split_once('>').unwrap();
    let mut form = Form {
        action: attribute(head, "action").unwrap_or_default(),
        method: attribute(head, "method").unwrap_or_default(),
        ..Form::default()
    };
    // In the order of the page.
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let (tag, after) = rest.split_once('>').unwrap();
        let name = attribute(tag, "name").unwrap_or_default();
        if tag.starts_with("input") {
            let value = attribute(tag, "value").unwrap_or_default();
            match attribute(tag, "type").as_deref() {
                Some("checkbox" | "radio") if !tag.contains(" checked") => form.boxes.push((name, value)),
                _ => form.fields.push((name, value)),
            }
        } else if tag.starts_with("textarea") {
            let (inside, _) = after.split_once("</textarea>").unwrap();
            // A browser drops the line end after the tag.
            let inside = inside.strip_prefix('\n').unwrap_or(inside);
            form.fields.push((name, unescape(inside)));
        } else if tag.starts_with("select") {
            let (inside, _) = after.split_once("</select>").unwrap();
            let options: Vec<&str> = inside.split("<option").skip(1).collect();
            let chosen = options.iter().find(|option| option.split('>').next().unwrap().contains(" selected"));
            let chosen = chosen.or(options.first()).copied().unwrap_or_default();
            form.fields.push((name, attribute(chosen, "value").unwrap_or_default()));
        }
        rest = after;
    }
    form
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = format!(" {name}=\"");
    let rest = tag.split_once(&start)?.1;
    Some(unescape(rest.split_once('"')?.0))
}

fn unescape(text: &str) -> String {
    let mut out = text.to_owned();
    for (escape, letter) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ] {
        out = out.replace(escape, letter);
    }
    out
}
