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
/// As [`TIMES`], for requests: from what the gateway takes to what a slow upstream does.
pub(super) const DURATIONS: Scale = Scale {
    bounds: [100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 10_000_000],
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
        self.classes[self.class(size)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(size, Ordering::Relaxed);
    }

    /// As [`Histogram::record`], where no one else records: cheaper.
    pub fn record_alone(&self, size: u64) {
        for (count, number) in [(&self.classes[self.class(size)], 1), (&self.sum, size)] {
            count.store(count.load(Ordering::Relaxed).wrapping_add(number), Ordering::Relaxed);
        }
    }

    fn class(&self, size: u64) -> usize {
        self.scale.bounds.partition_point(|bound| *bound < size)
    }

    /// The sum of several in Prometheus' text format.
    pub fn render<'h>(scale: &Scale, name: &str, help: &str, of: impl Iterator<Item = &'h Self>, text: &mut String) {
        let mut sum = Histogrammed::default();
        of.for_each(|histogram| sum.add(histogram));
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
        sum.write(scale, name, "", text);
    }
}

/// Histograms of one scale, added up.
#[derive(Clone, Debug, Default)]
pub(super) struct Histogrammed {
    classes: [u64; CLASSES + 1],
    sum: u64,
}

impl Histogrammed {
    pub fn add(&mut self, histogram: &Histogram) {
        for (class, counted) in self.classes.iter_mut().zip(&histogram.classes) {
            *class += counted.load(Ordering::Relaxed);
        }
        self.sum = self.sum.wrapping_add(histogram.sum.load(Ordering::Relaxed));
    }

    pub fn merge(&mut self, other: &Self) {
        for (class, counted) in self.classes.iter_mut().zip(&other.classes) {
            *class += counted;
        }
        self.sum = self.sum.wrapping_add(other.sum);
    }

    /// The lines of one series; `labels` as they stand between the braces, or nothing.
    pub fn write(&self, scale: &Scale, name: &str, labels: &str, text: &mut String) {
        let shown = |number: u64| number as f64 / f64::from(scale.unit);
        let (before, braced) = match labels.is_empty() {
            true => (String::new(), String::new()),
            false => (format!("{labels},"), format!("{{{labels}}}")),
        };
        let mut below = 0;
        for (place, class) in self.classes.iter().enumerate() {
            below += class;
            let bound = scale.bounds.get(place).map_or_else(|| "+Inf".to_owned(), |bound| shown(*bound).to_string());
            let _ = writeln!(text, "{name}_bucket{{{before}le=\"{bound}\"}} {below}");
        }
        let _ = writeln!(text, "{name}_sum{braced} {}\n{name}_count{braced} {below}", shown(self.sum));
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
        other.record_alone(5);
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
