//! As much of Markdown as the tests of the pages need: fences, headings, code spans, links.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// What stands behind the opening fence, such as `sh no-run`.
    pub info: String,
    pub text: String,
    /// Of the opening fence, from 1.
    pub line: usize,
    /// Whether only empty lines stand between it and the fence before.
    pub adjoins: bool,
}

pub struct Document {
    /// Its path from the root of the repository.
    pub name: String,
    pub text: String,
    pub fences: Vec<Fence>,
    /// Lines outside of fences, with their numbers.
    pub prose: Vec<(usize, String)>,
}

impl Document {
    pub fn read(root: &Path, path: &Path) -> Self {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap();
        Self::parse(name, &fs::read_to_string(path).unwrap())
    }

    pub fn parse(name: &str, text: &str) -> Self {
        let (mut fences, mut prose) = (Vec::<Fence>::new(), Vec::new());
        let mut open: Option<Fence> = None;
        let mut adjoins = false;
        for (at, line) in text.lines().enumerate() {
            let fence = line.trim_start().strip_prefix("```");
            match (&mut open, fence) {
                (None, Some(info)) => {
                    let info = info.trim().to_owned();
                    open = Some(Fence { info, text: String::new(), line: at + 1, adjoins });
                }
                (Some(block), Some("")) => {
                    fences.push(block.clone());
                    open = None;
                    adjoins = true;
                }
                (Some(block), _) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, None) => {
                    adjoins &= line.trim().is_empty();
                    prose.push((at + 1, line.to_owned()));
                }
            }
        }
        assert!(open.is_none(), "{name}: a fence does not end");
        Self { name: name.to_owned(), text: text.to_owned(), fences, prose }
    }

    /// What stands between backticks, with the number of its line.
    pub fn code_spans(&self) -> Vec<(usize, String)> {
        static SPAN: LazyLock<Regex> = LazyLock::new(|| Regex::new("`([^`]+)`").unwrap());
        let spans = |(line, text): &(usize, String)| -> Vec<(usize, String)> {
            SPAN.captures_iter(text).map(|found| (*line, found[1].to_owned())).collect()
        };
        self.prose.iter().flat_map(spans).collect()
    }

    /// Targets of links and pictures, with the number of their line.
    pub fn links(&self) -> Vec<(usize, String)> {
        static CODE: LazyLock<Regex> = LazyLock::new(|| Regex::new("`[^`]*`").unwrap());
        static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\(<?([^)>\s]+)>?[^)]*\)").unwrap());
        let targets = |(line, text): &(usize, String)| -> Vec<(usize, String)> {
            // A code span may be the text of a link, but never its target.
            let text = CODE.replace_all(text, "code");
            LINK.captures_iter(&text).map(|found| (*line, found[1].to_owned())).collect()
        };
        self.prose.iter().flat_map(targets).collect()
    }

    /// The anchors of its headings, as GitHub makes them.
    pub fn anchors(&self) -> Vec<String> {
        let mut seen = BTreeMap::<String, usize>::new();
        let headings = self.prose.iter().filter_map(|(_, line)| {
            let text = line.trim_start_matches('#');
            (line.starts_with('#') && text.starts_with(' ')).then(|| anchor(text.trim()))
        });
        headings
            .map(|anchor| {
                let times = seen.entry(anchor.clone()).or_default();
                *times += 1;
                if *times == 1 { anchor } else { format!("{anchor}-{}", *times - 1) }
            })
            .collect()
    }
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter));
    kept.flat_map(char::to_lowercase).map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[test]
fn fences_links_and_anchors_are_found() {
    let page = Document::parse(
        "x.md",
        "# `A` b, c!\n[a](b.md#c) and `[not](this)` [`code`](d.md)\n```sh start\nls\n```\n\n```text\nx\n```\n# A b c\n",
    );
    assert_eq!(page.anchors(), ["a-b-c", "a-b-c-1"]);
    assert_eq!(page.links(), [(2, "b.md#c".to_owned()), (2, "d.md".to_owned())]);
    let infos: Vec<_> = page.fences.iter().map(|fence| (fence.info.as_str(), fence.line, fence.adjoins)).collect();
    assert_eq!(infos, [("sh start", 3, false), ("text", 7, true)]);
    assert_eq!(page.code_spans()[0], (1, "A".to_owned()));
}
