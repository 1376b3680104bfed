//! How large things were: counted by size class, as Prometheus' histograms are.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// The upper ends of the classes; what is larger counts in one of its own.
const BOUNDS: [u64; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

#[derive(Debug)]
pub(super) struct Histogram {
    classes: [AtomicU64; BOUNDS.len() + 1],
    sum: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { classes: [const { AtomicU64::new(0) }; BOUNDS.len() + 1], sum: AtomicU64::new(0) }
    }
}

impl Histogram {
    pub fn record(&self, size: u64) {
        let class = BOUNDS.partition_point(|bound| *bound < size);
        self.classes[class].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(size, Ordering::Relaxed);
    }

    /// The sum of several in Prometheus' text format.
    pub fn render<'h>(name: &str, help: &str, of: impl Iterator<Item = &'h Self>, text: &mut String) {
        let (mut classes, mut sum) = ([0; BOUNDS.len() + 1], 0);
        for histogram in of {
            for (class, counted) in classes.iter_mut().zip(&histogram.classes) {
                *class += counted.load(Ordering::Relaxed);
            }
            sum += histogram.sum.load(Ordering::Relaxed);
        }
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
        let mut below = 0;
        for (place, class) in classes.iter().enumerate() {
            below += class;
            let bound = BOUNDS.get(place).map_or_else(|| "+Inf".to_owned(), u64::to_string);
            let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {below}");
        }
        let _ = writeln!(text, "{name}_sum {sum}\n{name}_count {below}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_counted_up_to_their_bound() {
        let (one, other) = (Histogram::default(), Histogram::default());
        for size in [1, 2, 3, 1000, 1001] {
            one.record(size);
        }
        other.record(5);
        let mut text = String::new();
        Histogram::render("size", "Sizes.", [&one, &other].into_iter(), &mut text);
        let expected = [("1", 1), ("2", 2), ("5", 4), ("500", 4), ("1000", 5), ("+Inf", 6)];
        for (bound, count) in expected {
            assert!(text.contains(&format!("size_bucket{{le=\"{bound}\"}} {count}\n")), "{bound}\n{text}");
        }
        assert!(text.starts_with("# HELP size Sizes.\n# TYPE size histogram\n"));
        assert!(text.ends_with("size_sum 2012\nsize_count 6\n"));
    }
}
