//! A limit of CPU for each node, by control groups, so that nodes that share a machine do not share its cores.

use std::fs;
use std::path::PathBuf;

use crate::cluster::Cluster;

/// Of one core, in percent, for each node.
pub const SHARE: u32 = 20;
const PERIOD_MICROS: u32 = 10_000;

/// The limits hold until this is dropped.
pub struct Quota(Vec<PathBuf>);

impl Quota {
    /// Needs the right to make control groups.
    pub fn over(cluster: &Cluster) -> Self {
        Self(cluster.nodes.iter().map(|node| limit(node.pid())).collect())
    }
}

/// The group the process was moved to.
fn limit(pid: u32) -> PathBuf {
    let quota = PERIOD_MICROS * SHARE / 100;
    let old = PathBuf::from("/sys/fs/cgroup/cpu");
    let is_old = old.is_dir();
    let root = if is_old { old } else { PathBuf::from("/sys/fs/cgroup") };
    let group = root.join(format!("tollgate-figures-{pid}"));
    fs::create_dir(&group).expect("the figures need the right to make control groups");
    if is_old {
        fs::write(group.join("cpu.cfs_period_us"), PERIOD_MICROS.to_string()).unwrap();
        fs::write(group.join("cpu.cfs_quota_us"), quota.to_string()).unwrap();
    } else {
        fs::write(group.join("cpu.max"), format!("{quota} {PERIOD_MICROS}")).unwrap();
    }
    fs::write(group.join("cgroup.procs"), pid.to_string()).unwrap();
    group
}

impl Drop for Quota {
    fn drop(&mut self) {
        for group in &self.0 {
            // A group that still has processes cannot go: they return to the root of all.
            let procs = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
            for pid in procs.lines() {
                let _ = fs::write(group.parent().unwrap().join("cgroup.procs"), pid);
            }
            let _ = fs::remove_dir(group);
        }
    }
}
