//! Random workflows of the whole language in a world that does everything wrong; each run is held against LANGUAGE.
//!
//! ```text
//! seed ──► generate ──► flow ──► compile ──► Run ◄──► world (answers, crashes, noise)
//!                         └────────────────► oracle ◄── journal
//! ```
//!
//! `SEED=n` runs one seed, `SEEDS=n` so many from 0, `SOAK_SECONDS=n` as many as fit, `FIRST=n` from another one on. A failure prints the seed,
//! the workflow and the journal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use flowpilot_engine::compile::{Context, compile};
use flowpilot_engine::journal::Event;
use flowpilot_engine::plan::Plan;

use crate::random::Random;
use crate::world::{Counts, World};
use crate::{generate, number};

/// Seeds of a plain `cargo test`.
const SEEDS: u64 = 1_000;
/// Of a hundred plans so many are written and read again.
const READ_AGAIN: usize = 10;

/// One seed. Gives what was seen, or what is wrong.
fn try_seed(seed: u64) -> Result<Counts, String> {
    let mut random = Random::new(seed);
    let flow = generate::flow(&mut random);
    let spec =
        serde_json::from_value(flow.spec()).map_err(|error| format!("{error}\n{}", flow.manifest()))?;
    let compiled = compile(&spec, &Context::default());
    let plan = compiled
        .map_err(|problems| format!("refused: {problems:#?}\n{}", flow.manifest()))?
        .plan;
    if random.chance(READ_AGAIN) {
        let text = serde_json::to_string(&plan).map_err(|error| error.to_string())?;
        let read: Plan = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        if plan != read {
            return Err(format!(
                "the plan is another one after it was written and read\n{}",
                flow.manifest()
            ));
        }
    }
    let mut world = World::new(&flow, Arc::new(plan), random)?;
    world.run().map_err(|why| {
        let mut text = format!(
            "{why}\n\n{}\n{:?}, now {}\n",
            flow.manifest(),
            world.temper,
            world.now
        );
        for event in &world.journal {
            text.push_str(&format!("{}\n", serde_json::to_string(event).unwrap_or_default()));
        }
        text
    })?;
    if seed.is_multiple_of(10) {
        says_the_same_again(seed, &world.journal)?;
    }
    Ok(world.counts)
}

/// Nothing depends on anything but the seed: no clock, no order of a hash.
fn says_the_same_again(seed: u64, first: &[Event]) -> Result<(), String> {
    let (_, second) = journal(seed).ok_or("the second time it fails")?;
    let differs = || format!("the same seed gives another journal:\n{first:?}\n{second:?}");
    if first == second { Ok(()) } else { Err(differs()) }
}

/// The same, also when it panics.
fn hold(seed: u64) -> Result<Counts, String> {
    let result = std::panic::catch_unwind(|| try_seed(seed)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().cloned();
        let message = message.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let mut random = Random::new(seed);
        Err(format!(
            "panic: {}\n{}",
            message.unwrap_or_default(),
            generate::flow(&mut random).manifest()
        ))
    });
    result.map_err(|why| format!("SEED={seed} cargo test -p flowpilot-engine --test proofs\n{why}"))
}

/// Runs seeds on every core until there are enough or time is up.
fn soak(first: u64, count: u64, time: Option<Duration>) -> (u64, Counts) {
    let begin = Instant::now();
    let (next, failed) = (AtomicU64::new(first), AtomicBool::new(false));
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let work = || {
        let (mut done, mut sum) = (0, Counts::default());
        while !failed.load(Ordering::Relaxed) && time.is_none_or(|time| begin.elapsed() < time) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed - first >= count {
                break;
            }
            match hold(seed) {
                Ok(counts) => sum.add(counts),
                Err(why) => {
                    failed.store(true, Ordering::Relaxed);
                    panic!("{why}");
                }
            }
            done += 1;
            if time.is_some() && seed.is_multiple_of(5_000) {
                println!("{:>6} s  {} seeds", begin.elapsed().as_secs(), seed - first);
            }
        }
        (done, sum)
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut all = (0, Counts::default());
        for worker in workers {
            let (done, counts) = worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            all.0 += done;
            all.1.add(counts);
        }
        all
    })
}

#[test]
fn every_seed_obeys_the_language() {
    if let Some(seed) = number("SEED") {
        let seen = hold(seed).unwrap_or_else(|why| panic!("{why}"));
        println!("{seen:?}");
        return;
    }
    let time = number("SOAK_SECONDS").map(Duration::from_secs);
    let first = number("FIRST").unwrap_or(0);
    let count = number("SEEDS").unwrap_or(if time.is_some() { u64::MAX / 2 } else { SEEDS });
    let (seeds, seen) = soak(first, count, time);
    println!("{seeds} seeds: {seen:?}");
    // A world in which nothing happens shows nothing.
    if seeds >= SEEDS {
        let least = usize::try_from(seeds).unwrap_or(usize::MAX) / 20;
        assert!(
            seen.takeovers > least && seen.noise > least && seen.replays > least && seen.undos > least,
            "{seen:?}"
        );
    }
}

/// The plan of a seed, and what happened in its run.
pub(crate) fn journal(seed: u64) -> Option<(Arc<Plan>, Vec<Event>)> {
    let mut random = Random::new(seed);
    let flow = generate::flow(&mut random);
    let plan = compile(&serde_json::from_value(flow.spec()).ok()?, &Context::default())
        .ok()?
        .plan;
    let plan = Arc::new(plan);
    let _ = random.chance(READ_AGAIN);
    let mut world = World::new(&flow, plan.clone(), random).ok()?;
    world.run().ok()?;
    Some((plan, world.journal))
}
