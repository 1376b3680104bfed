//! Diagrams can be drawn: each is drawn by Mermaid itself, in a browser.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::browser::Browser;
use super::support::Folder;
use super::{documents, tell};

/// Draws a diagram; gives what is wrong with it.
async fn draw(browser: &Browser, text: &str) -> Option<String> {
    let text = Value::from(text);
    let script = format!("return mermaid.render('drawn', {text}).then(() => null, fault => String(fault))");
    browser.run(&script).await.as_str().map(str::to_owned)
}

/// A browser with an empty page that has Mermaid.
async fn drawing_board(folder: &Folder) -> Browser {
    let modules = std::env::var("TOLLGATE_TEST_NODE_MODULES").expect("run tests/run, or point it at node_modules");
    let mermaid = PathBuf::from(modules).join("mermaid/dist/mermaid.min.js");
    assert!(mermaid.exists(), "there is no {}: tests/run installs it", mermaid.display());
    let page = folder.join("board.html");
    let script =
        format!("<!doctype html><meta charset=utf-8><body><script src=\"file://{}\"></script>", mermaid.display());
    std::fs::write(&page, script).unwrap();
    let browser = Browser::open(folder.path()).await;
    browser.go(&format!("file://{}", page.display())).await;
    assert_eq!(browser.run("return typeof mermaid").await, json!("object"));
    browser
}

#[tokio::test]
async fn every_diagram_can_be_drawn() {
    let folder = Folder::new();
    let browser = drawing_board(&folder).await;
    let (mut faults, mut seen) = (Vec::new(), 0);
    for document in documents() {
        for fence in document.fences.iter().filter(|fence| fence.info == "mermaid") {
            seen += 1;
            if let Some(fault) = draw(&browser, &fence.text).await {
                faults.push(format!("{}:{}: {fault}", document.name, fence.line));
            }
        }
    }
    assert!(seen > 3, "no diagrams are seen");
    tell("diagrams that cannot be drawn", &faults);
    for wrong in ["pi\n", "sequenceDiagram\nA->B\n", "sequenceDiagram\nloop x\n", "flowchart LR\na[(x]\n"] {
        assert!(draw(&browser, wrong).await.is_some(), "{wrong}");
    }
}
