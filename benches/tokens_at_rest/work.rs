//! What is done with the tokens, and what that costs.

use std::time::{Duration, Instant};

use tollgate::storage::TokenFilter;
use uuid::Uuid;

use super::ROUNDS;
use super::rest::Rest;
use super::server::{Server, connect};

const LOOKUPS: u64 = 4000;
const BATCH: usize = 500;
const BATCHES: usize = 120;

/// µs of the database's CPU, and of the clock, for each thing done.
#[derive(Clone, Copy)]
struct Cost {
    cpu: f64,
    wall: f64,
}

fn median(costs: &[Cost]) -> Cost {
    let middle = |of: fn(&Cost) -> f64| {
        let mut numbers: Vec<f64> = costs.iter().map(of).collect();
        numbers.sort_by(f64::total_cmp);
        numbers[numbers.len() / 2]
    };
    Cost { cpu: middle(|cost| cost.cpu), wall: middle(|cost| cost.wall) }
}

fn tell(what: &str, cost: Cost, few: Cost) {
    println!("| {what} | {:.1} | {:.1} | {:.2} |", cost.cpu, cost.wall, cost.cpu / few.cpu);
}

async fn look_up(server: &Server, rest: &Rest, from: u64) -> Cost {
    let (cpu, begun) = (server.serving(&rest.database).await, Instant::now());
    for _ in 0..LOOKUPS {
        let index = from + rand::random::<u64>() % (rest.number - from);
        let found = rest.store.find_token(rest.digest(index)).await.expect("the database answers");
        assert!(found.is_some(), "token {index} is there");
    }
    let wall = begun.elapsed().as_micros() as f64;
    let number = LOOKUPS as f64;
    Cost { cpu: (server.serving(&rest.database).await - cpu) / number, wall: wall / number }
}

/// One at a time: of tokens that are good for a call still, and of any.
pub async fn lookups(server: &Server, few: &Rest, many: &Rest) {
    let (mut small, mut recent, mut any) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let costs = [look_up(server, few, 0).await, look_up(server, many, many.recent()).await];
        let whole = look_up(server, many, 0).await;
        // The first fills caches.
        if round > 0 {
            small.push(costs[0]);
            recent.push(costs[1]);
            any.push(whole);
        }
    }
    let base = median(&small);
    tell(&format!("look-up, {few}"), base, base);
    tell(&format!("look-up, {many}: issued within two hours"), median(&recent), base);
    tell(&format!("look-up, {many}: any of them"), median(&any), base);
}

/// Look-ups while revocations are in force that end other tokens.
pub async fn revocations(server: &Server, few: &Rest) {
    let mut base = None;
    for wanted in [0_u32, 10, 1000] {
        for nth in 0..wanted {
            let user = (nth % 2 == 0).then(|| format!("somebody {nth}"));
            let service = (nth % 2 == 1).then(Uuid::new_v4);
            let filter = TokenFilter { authenticated_userid: user, service, ..TokenFilter::default() };
            few.store.revoke_tokens(&filter).await.expect("it is stored").expect("something may fit");
        }
        connect(&server.database(&few.database))
            .await
            .batch_execute("ANALYZE oauth2_revocations")
            .await
            .expect("it may");
        let mut costs = Vec::new();
        for _ in 0..ROUNDS {
            costs.push(look_up(server, few, 0).await);
        }
        let cost = median(&costs);
        tell(&format!("look-up, {few}, {wanted} revocations of others in force"), cost, *base.get_or_insert(cost));
    }
    few.store
        .finish_revocation(&few.store.revocations(i64::MAX, 1).await.expect("it tells")[0])
        .await
        .expect("it goes");
}

async fn issue(server: &Server, rest: &Rest, is_scattered: bool) -> (Cost, f64) {
    let (before, begun) = (server.spent().await, Instant::now());
    for _ in 0..BATCHES {
        let tokens = (0..BATCH).map(|nth| rest.token(nth, is_scattered)).collect();
        let stored = rest.store.insert_tokens(tokens).await;
        assert!(stored.iter().all(Result::is_ok), "every token is stored");
    }
    let (spent, number) = (server.spent().await - before, (BATCH * BATCHES) as f64);
    (Cost { cpu: spent.cpu / number, wall: begun.elapsed().as_micros() as f64 / number }, spent.wal_bytes / number)
}

/// In batches of 500, beside few and many; and at last as it was when digests were all chance. Nobody asks for
/// checkpoints: they come as the WAL grows, and each has the pages written whole that are touched after it.
pub async fn issuance(server: &Server, few: &Rest, many: &Rest) {
    let (mut small, mut large, mut scattered) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let costs = [issue(server, few, false).await, issue(server, many, false).await];
        if round > 0 {
            small.push(costs[0]);
            large.push(costs[1]);
        }
        // As few as before.
        let client = connect(&server.database(&few.database)).await;
        let forget = format!(
            "DELETE FROM oauth2_tokens WHERE id > (SELECT id FROM oauth2_tokens ORDER BY id LIMIT 1 OFFSET {})",
            few.number - 1
        );
        client.batch_execute(&forget).await.expect("they go");
        client.batch_execute("VACUUM oauth2_tokens").await.expect("the user may");
    }
    for round in 0..=ROUNDS {
        let cost = issue(server, many, true).await;
        if round > 0 {
            scattered.push(cost);
        }
    }
    let costs = |rounds: &[(Cost, f64)]| median(&rounds.iter().map(|(cost, _)| *cost).collect::<Vec<_>>());
    let bytes = |rounds: &[(Cost, f64)]| rounds.iter().map(|(_, wal)| wal).sum::<f64>() / rounds.len() as f64;
    let base = costs(&small);
    for (what, rounds) in
        [(few.to_string(), &small), (many.to_string(), &large), (format!("{many}, digests scattered"), &scattered)]
    {
        tell(&format!("issuance, {what}; WAL {:.0} bytes", bytes(rounds)), costs(rounds), base);
    }
}

/// A twentieth of all, in bites of 1000 as fast as they go, and then with the janitor's rests beside look-ups.
pub async fn sweeping(server: &Server, many: &Rest) {
    println!("\nBefore sweeping: {}", server.sizes(&many.database).await);
    let (rows, cost) = swept(server, many, 25, 0).await;
    println!("{rows} expired rows leave at {:.0}/s, {:.1} µs of CPU each, without rests", 1e6 / cost.wall, cost.cpu);
    let alone = look_up(server, many, many.recent()).await;
    let beside = async {
        let mut walls = Vec::new();
        for _ in 0..3 {
            let begun = Instant::now();
            look_up(server, many, many.recent()).await;
            walls.push(begun.elapsed().as_micros() as f64 / LOOKUPS as f64);
        }
        walls
    };
    let ((rows, cost), walls) = tokio::join!(swept(server, many, 50, 3), beside);
    println!("{rows} expired rows leave at {:.0}/s with the janitor's rests", 1e6 / cost.wall);
    println!("a look-up takes {:.1} µs alone and {walls:.1?} µs meanwhile", alone.wall);
    println!("After: {}", server.sizes(&many.database).await);
    let begun = Instant::now();
    let before = server.spent().await;
    connect(&server.database(&many.database)).await.batch_execute("VACUUM oauth2_tokens").await.expect("the user may");
    let spent = server.spent().await - before;
    println!("A vacuum takes {:.1} s, {:.1} s of CPU", begun.elapsed().as_secs_f64(), spent.cpu / 1e6);
    println!("After it: {}", server.sizes(&many.database).await);
}

/// Everything up to a portion of a thousand, resting so many times as long as a bite took.
async fn swept(server: &Server, many: &Rest, portion: u64, rest: u32) -> (usize, Cost) {
    let (before, begun) = (server.spent().await, Instant::now());
    let (mut rows, mut cursor) = (0, None);
    loop {
        let bite = Instant::now();
        let swept = many.store.sweep(cursor, many.end_of(portion), 1000).await.expect("the database answers");
        rows += swept.removed;
        cursor = swept.next;
        if swept.removed < 1000 || cursor.is_none() {
            break;
        }
        tokio::time::sleep(if rest == 0 { Duration::ZERO } else { bite.elapsed() * rest }).await;
    }
    let spent = server.spent().await - before;
    (rows, Cost { cpu: spent.cpu / rows as f64, wall: begun.elapsed().as_micros() as f64 / rows as f64 })
}
