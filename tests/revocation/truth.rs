//! What calls may see while changes are made: nothing older than what was answered before the call began, nothing newer
//! than what was asked before it ended.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::task::JoinHandle;

use crate::caller::{Caller, Seen};
use crate::stage::Stage;

/// Calls that see each state before the next change is made.
const CALLS_PER_STATE: usize = 64;

#[derive(Default)]
struct Truth {
    states: Mutex<Vec<Seen>>,
    answered: AtomicUsize,
    calls: AtomicUsize,
    ended: AtomicBool,
}

/// Callers that hammer one path, and the list of states they may see.
pub struct Load {
    truth: Arc<Truth>,
    crowd: Vec<JoinHandle<Result<(), String>>>,
}

impl Load {
    pub async fn begin(stage: &Stage, callers: usize, path: &str, token: &str, first: Seen) -> Self {
        let truth = Arc::new(Truth { states: Mutex::new(vec![first]), ..Truth::default() });
        let mut crowd = Vec::new();
        for _ in 0..callers {
            let caller = Caller::connect(stage.proxy()).await;
            crowd.push(tokio::spawn(hammer(caller, Arc::clone(&truth), path.to_owned(), token.to_owned())));
        }
        let load = Self { truth, crowd };
        load.seen_by_many().await;
        load
    }

    /// Makes a change that leads to `state`, and lets many calls see it.
    pub async fn change(&self, stage: &Stage, method: &str, path: &str, body: Value, state: Seen) -> Value {
        self.truth.states.lock().unwrap().push(state);
        let answer = stage.change(method, path, body).await;
        self.truth.answered.fetch_add(1, Ordering::SeqCst);
        self.seen_by_many().await;
        answer
    }

    async fn seen_by_many(&self) {
        let enough = self.truth.calls.load(Ordering::SeqCst) + CALLS_PER_STATE;
        while self.truth.calls.load(Ordering::SeqCst) < enough && !self.crowd.iter().any(JoinHandle::is_finished) {
            tokio::task::yield_now().await;
        }
    }

    pub async fn end(self) {
        self.truth.ended.store(true, Ordering::SeqCst);
        for one in self.crowd {
            one.await.unwrap().unwrap();
        }
    }
}

async fn hammer(mut caller: Caller, truth: Arc<Truth>, path: String, token: String) -> Result<(), String> {
    while !truth.ended.load(Ordering::SeqCst) {
        let oldest = truth.answered.load(Ordering::SeqCst);
        let seen = caller.get(&path, &token).await;
        let states = truth.states.lock().unwrap();
        if !states[oldest..].contains(&seen) {
            return Err(format!("{seen:?} after change {oldest} was answered; allowed: {:?}", &states[oldest..]));
        }
        drop(states);
        truth.calls.fetch_add(1, Ordering::SeqCst);
    }
    Ok(())
}
