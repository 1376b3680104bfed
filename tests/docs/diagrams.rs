//! Diagrams (Mermaid) are well-formed, as far as can be told without drawing them: a known kind, blocks that end, and in
//! sequence diagrams only lines that mean something.

use std::sync::LazyLock;

use regex::Regex;

use super::{documents, tell};

const KINDS: &[&str] = &["flowchart", "sequenceDiagram", "stateDiagram-v2"];

/// # Errors
/// The first line that means nothing, or what does not end.
fn check(text: &str) -> Result<(), String> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("%%"));
    let first = lines.next().unwrap_or_default();
    let kind = first.split(' ').next().unwrap_or_default();
    if !KINDS.contains(&kind) {
        return Err(format!("`{first}` is no kind of diagram used here"));
    }
    let mut open = 0_i32;
    for line in lines {
        let word = line.split(' ').next().unwrap_or_default();
        match word {
            "end" => open -= 1,
            "subgraph" | "alt" | "opt" | "loop" | "par" | "critical" | "break" | "rect" | "box" => open += 1,
            _ if kind == "sequenceDiagram" => message(line)?,
            _ => balanced(line)?,
        }
        if open < 0 {
            return Err("an `end` too many".into());
        }
    }
    if open == 0 { Ok(()) } else { Err("an `end` is missing".into()) }
}

fn message(line: &str) -> Result<(), String> {
    static LINE: LazyLock<Regex> = LazyLock::new(|| {
        let name = r"[A-Za-z]\w*";
        let arrow = r"(?:-->>|->>|-->|->|--x|-x|--\)|-\))";
        Regex::new(&format!(
            r"^(?:autonumber|(?:participant|actor) {name}(?: as .+)?|{name}{arrow}[+-]?{name}: .+|Note (?:over|left of|right of) {name}(?:,{name})?: .+|(?:else|and)(?: .+)?|(?:activate|deactivate) {name})$"
        ))
        .unwrap()
    });
    // A semicolon ends a statement, and a hash begins an entity.
    if !LINE.is_match(line) || line.contains([';', '#']) {
        return Err(format!("`{line}` means nothing"));
    }
    Ok(())
}

fn balanced(line: &str) -> Result<(), String> {
    let count = |letter: char| line.matches(letter).count();
    let pairs = [('[', ']'), ('(', ')'), ('{', '}')].iter().all(|(open, close)| count(*open) == count(*close));
    if pairs && count('"') % 2 == 0 { Ok(()) } else { Err(format!("`{line}` is not closed")) }
}

#[test]
fn every_diagram_is_well_formed() {
    let (mut faults, mut seen) = (Vec::new(), 0);
    for document in documents() {
        for fence in document.fences.iter().filter(|fence| fence.info == "mermaid") {
            seen += 1;
            if let Err(fault) = check(&fence.text) {
                faults.push(format!("{}:{}: {fault}", document.name, fence.line));
            }
        }
    }
    assert!(seen > 3, "no diagrams are seen");
    tell("diagrams that cannot be drawn", &faults);
}

#[test]
fn a_diagram_that_cannot_be_drawn_is_found() {
    check("sequenceDiagram\nparticipant A as one\nalt x\nA->>B: hello\nelse\nB-->>A: no\nend\n").unwrap();
    check("flowchart LR\na[(x)] -- \"1\" --> b\nsubgraph s\nend\n").unwrap();
    for wrong in [
        "pie\n",
        "sequenceDiagram\nA->B\n",
        "sequenceDiagram\nloop\n",
        "sequenceDiagram\nA->>B: a; b\n",
        "flowchart LR\na[(x]\n",
    ] {
        assert!(check(wrong).is_err(), "{wrong}");
    }
}
