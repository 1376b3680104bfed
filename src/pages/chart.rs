//! A bar chart as SVG, made on the server: calls over time.

use askama::Template;

const WIDTH: u32 = 720;
const HEIGHT: u32 = 190;
/// Room for the numbers on the left.
const LEFT: u32 = 44;
const TOP: u32 = 10;
const BOTTOM: u32 = 24;
/// Times written below.
const MARKS: usize = 6;

/// One step of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// `11:00`
    pub time: String,
    pub admitted: u64,
    pub refused: u64,
}

struct Line {
    y: u32,
    text: String,
}

struct Rectangle {
    class: &'static str,
    x: String,
    y: String,
    width: String,
    height: String,
    title: String,
}

struct Mark {
    x: String,
    anchor: &'static str,
    text: String,
}

#[derive(Template)]
#[template(path = "chart.html", config = "src/pages/askama.toml")]
struct Chart<'c> {
    width: u32,
    height: u32,
    left: u32,
    label: &'c str,
    lines: Vec<Line>,
    bars: Vec<Rectangle>,
    marks: Vec<Mark>,
}

/// A picture that a template puts into its page as it is: everything in it is escaped already.
pub struct Picture(String);

impl std::fmt::Display for Picture {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Picture {}

/// The chart. `label` says in words what it shows, for those
/// who do not see it.
pub fn chart(bars: &[Bar], label: &str) -> Picture {
    let most = bars.iter().map(|bar| bar.admitted + bar.refused).max().unwrap_or(0);
    let top = ceiling(most);
    let drawn = HEIGHT - TOP - BOTTOM;
    let level = |value: u64| f64::from(TOP + drawn) - f64::from(drawn) * value as f64 / top as f64;
    let levels = if top < 2 { vec![0, top] } else { vec![0, top / 2, top] };
    let lines = levels.into_iter().map(|value| Line { y: level(value).round() as u32, text: value.to_string() });
    let step = f64::from(WIDTH - LEFT) / bars.len().max(1) as f64;
    let place = |nth: usize| f64::from(LEFT) + step * nth as f64;
    let mut rectangles = Vec::new();
    for (nth, bar) in bars.iter().enumerate() {
        let title = format!("{}: {} let through, {} refused", bar.time, bar.admitted, bar.refused);
        let parts = [("bar", 0, bar.admitted), ("bar refused", bar.admitted, bar.refused)];
        for (class, below, value) in parts.into_iter().filter(|(.., value)| *value > 0) {
            let (high, low) = (level(below + value), level(below));
            rectangles.push(Rectangle {
                class,
                x: format!("{:.1}", place(nth) + step * 0.12),
                y: format!("{high:.1}"),
                width: format!("{:.1}", step * 0.76),
                height: format!("{:.1}", (low - high).max(1.0)),
                title: title.clone(),
            });
        }
    }
    let every = bars.len().div_ceil(MARKS).max(1);
    let marks = bars.iter().enumerate().step_by(every).map(|(nth, bar)| Mark {
        x: format!("{:.1}", place(nth)),
        anchor: "start",
        text: bar.time.clone(),
    });
    let (lines, marks) = (lines.collect(), marks.collect());
    let chart = Chart { width: WIDTH, height: HEIGHT, left: LEFT, label, lines, bars: rectangles, marks };
    // Nothing in it can fail; an empty picture is better than no page.
    Picture(chart.render().unwrap_or_default())
}

/// The next round number: 1, 2, 5, 10, 20, 50…
fn ceiling(most: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for step in [1, 2, 5] {
            let round = unit.saturating_mul(step);
            if round >= most.max(1) {
                return round;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_are_round() {
        assert_eq!([0, 1, 3, 6, 11, 51, 100, 101].map(ceiling), [1, 1, 5, 10, 20, 100, 100, 200]);
        assert_eq!(ceiling(u64::MAX), u64::MAX);
    }

    #[test]
    fn bars_stay_inside_and_texts_are_escaped() {
        let bar = |admitted, refused| Bar { time: "<b>".to_owned(), admitted, refused };
        let svg = chart(&[bar(10, 3), bar(0, 0), bar(1, 0)], "a \"label\" <x>").to_string();
        assert_eq!(svg.matches("<rect").count(), 3);
        assert!(!svg.contains("<b>") && !svg.contains("<x>") && !svg.contains("style="));
        assert!(chart(&[], "nothing").to_string().contains("<svg"));
    }
}
