//! One measured stretch of load, several of them, and the CPU time of a process.

/// How long a stretch is and how many there are.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    pub seconds: u32,
    pub rounds: usize,
}

/// One measured stretch.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    pub answered: u64,
    /// Answers that were not 2xx or 3xx.
    pub refused: u64,
    pub cpu_micros: f64,
    pub p99_ms: f64,
}

pub fn middle(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// CPU time of a process and its children so far, user and system, in µs.
pub fn cpu_micros(pid: u32) -> f64 {
    let own = stat_micros(pid);
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    own + children.split_whitespace().filter_map(|child| child.parse().ok()).map(cpu_micros).sum::<f64>()
}

fn stat_micros(pid: u32) -> f64 {
    // schedstat counts nanoseconds; stat's ticks are too coarse for a stretch of seconds.
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let nanos = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    nanos.sum::<f64>() / 1000.0
}
