//! How large things were: counted by size class, as Prometheus' histograms are.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is counted, and how finely.
#[derive(Debug)]
pub(super) struct Scale {
    /// The upper ends of the classes; what is larger counts in one of its own.
    bounds: [u64; CLASSES],
    /// How many of what is recorded make one of what is shown.
    unit: u32,
}

const CLASSES: usize = 10;
pub(super) const SIZES: Scale = Scale { bounds: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], unit: 1 };
/// Recorded in microseconds, shown in seconds.
pub(super) const TIMES: Scale = Scale {
    bounds: [1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 1_000_000, 3_000_000],
    unit: 1_000_000,
};

#[derive(Debug)]
pub(super) struct Histogram {
    scale: &'static Scale,
    classes: [AtomicU64; CLASSES + 1],
    sum: AtomicU64,
}

impl Histogram {
    pub fn new(scale: &'static Scale) -> Self {
        Self { scale, classes: [const { AtomicU64::new(0) }; CLASSES + 1], sum: AtomicU64::new(0) }
    }

    pub fn record(&self, size: u64) {
        let class = self.scale.bounds.partition_point(|bound| *bound < size);
        self.classes[class].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(size, Ordering::Relaxed);
    }

    /// The sum of several in Prometheus' text format.
    pub fn render<'h>(scale: &Scale, name: &str, help: &str, of: impl Iterator<Item = &'h Self>, text: &mut String) {
        let (mut classes, mut sum) = ([0; CLASSES + 1], 0);
        let shown = |number: u64| number as f64 / f64::from(scale.unit);
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
            let bound = scale.bounds.get(place).map_or_else(|| "+Inf".to_owned(), |bound| shown(*bound).to_string());
            let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {below}");
        }
        let _ = writeln!(text, "{name}_sum {}\n{name}_count {below}", shown(sum));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_counted_up_to_their_bound() {
        let (one, other) = (Histogram::new(&SIZES), Histogram::new(&SIZES));
        for size in [1, 2, 3, 1000, 1001] {
            one.record(size);
        }
        other.record(5);
        let mut text = String::new();
        Histogram::render(&SIZES, "size", "Sizes.", [&one, &other].into_iter(), &mut text);
        let expected = [("1", 1), ("2", 2), ("5", 4), ("500", 4), ("1000", 5), ("+Inf", 6)];
        for (bound, count) in expected {
            assert!(text.contains(&format!("size_bucket{{le=\"{bound}\"}} {count}\n")), "{bound}\n{text}");
        }
        assert!(text.starts_with("# HELP size Sizes.\n# TYPE size histogram\n"));
        assert!(text.ends_with("size_sum 2012\nsize_count 6\n"));
    }
}
