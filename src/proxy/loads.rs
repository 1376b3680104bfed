//! How many calls each upstream has under way, of one worker.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::domain::Hashed;

/// Calls under way by the key of their upstream. An upstream that is stuck should not take what the others need.
pub(super) struct Loads {
    calls: RefCell<HashMap<u64, usize, Hashed>>,
    most: usize,
}

/// One call, for as long as it is held.
pub(super) struct Load {
    loads: Rc<Loads>,
    key: u64,
}

impl Loads {
    /// So many calls at once to each upstream.
    pub fn new(most: usize) -> Self {
        Self { calls: RefCell::default(), most }
    }

    /// One more call; `None` when the upstream has enough of them.
    pub fn one(self: &Rc<Self>, key: u64) -> Option<Load> {
        let mut calls = self.calls.borrow_mut();
        let count = calls.entry(key).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Load { loads: Rc::clone(self), key })
    }

    /// Forgets upstreams that have none.
    pub fn sweep(&self) {
        self.calls.borrow_mut().retain(|_, count| *count > 0);
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if let Some(count) = self.loads.calls.borrow_mut().get_mut(&self.key) {
            *count -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_has_so_many_calls_and_no_more_until_one_ends() {
        let loads = Rc::new(Loads::new(2));
        let first = loads.one(1);
        let second = loads.one(1);
        assert!(first.is_some() && second.is_some() && loads.one(1).is_none());
        assert!(loads.one(2).is_some(), "another upstream is not concerned");
        drop(first);
        loads.sweep();
        let third = loads.one(1);
        assert!(third.is_some() && loads.one(1).is_none());
        drop((second, third));
        loads.sweep();
        assert!(loads.calls.borrow().is_empty());
    }
}
