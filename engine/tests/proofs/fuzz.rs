//! Random input for what reads texts of others: each is read or refused, soon, and nothing panics.
//!
//! `FUZZ_SECONDS=n` says for how long. Every target starts from what the repository holds (all its YAML, workflows and
//! journals of seeds) and changes it. A failure prints the input; a case that takes more than two seconds of the
//! processor ends the tests, as nothing else can.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::number;
use crate::random::Random;

mod corpus;
mod expressions;
mod journals;
mod manifests;
mod mutate;
mod plans;
mod templates;

/// Seconds of a plain `cargo test`.
const SECONDS: u64 = 2;
/// The most that a case may take of a processor, in hundredths of a second.
const LIMIT: u64 = 200;

/// What a case looks like, for people.
pub(crate) type Shown = Arc<Mutex<String>>;

/// Tries cases until time is up. A case says what its input is before it tries it.
fn fuzz(name: &str, mut case: impl FnMut(&mut Random, &dyn Fn(&str))) {
    let seconds = number("FUZZ_SECONDS").unwrap_or(SECONDS);
    let first = number("FUZZ_SEED").unwrap_or_else(|| if seconds > 60 { fresh() } else { 1 });
    let (begin, time) = (Instant::now(), Duration::from_secs(seconds));
    let shown: Shown = Arc::default();
    let guard = Guard::new(name, &shown);
    let (mut cases, mut said) = (0_u64, 0);
    while begin.elapsed() < time {
        let seed = first.wrapping_add(cases);
        let show = |input: &str| input.clone_into(&mut shown.lock().unwrap());
        guard.begin(seed);
        let result = catch_unwind(AssertUnwindSafe(|| case(&mut Random::new(seed), &show)));
        guard.end();
        if let Err(panic) = result {
            println!(
                "FUZZ_SEED={seed} cargo test -p flowpilot-engine --test proofs {name}\n{}",
                shown.lock().unwrap()
            );
            std::panic::resume_unwind(panic);
        }
        cases += 1;
        if begin.elapsed().as_secs() / 60 > said {
            said += 1;
            println!("{name}: {} s, {cases} cases", begin.elapsed().as_secs());
        }
    }
    println!("{name}: {cases} cases in {seconds} s");
    assert!(cases > 10, "{name} tried only {cases} cases: it tests nothing");
}

/// Where a long run begins: elsewhere each time.
fn fresh() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |since| since.as_secs() << 32)
}

/// Watches how long a case takes. A case that hangs cannot be ended, only the process.
struct Guard(Arc<Mutex<Option<(u64, u64)>>>);

impl Guard {
    fn new(name: &str, shown: &Shown) -> Self {
        let current: Arc<Mutex<Option<(u64, u64)>>> = Arc::default();
        let (watched, shown, name) = (Arc::downgrade(&current), shown.clone(), name.to_owned());
        let task = std::fs::read_link("/proc/thread-self").unwrap_or_default();
        let _ = std::thread::spawn(move || {
            while let Some(current) = watched.upgrade() {
                let under_way = *current.lock().unwrap();
                if let Some((seed, used)) = under_way
                    && processor_time(&task).saturating_sub(used) > LIMIT
                {
                    let input = shown.lock().unwrap().clone();
                    let text =
                        format!("\nFUZZ_SEED={seed}: a case of {name} takes more than 2 s:\n{input}\n");
                    let _ = std::io::stderr().write_all(text.as_bytes());
                    std::process::exit(101);
                }
                drop(current);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Self(current)
    }

    fn begin(&self, seed: u64) {
        let used = processor_time(&std::fs::read_link("/proc/thread-self").unwrap_or_default());
        *self.0.lock().unwrap() = Some((seed, used));
    }

    fn end(&self) {
        *self.0.lock().unwrap() = None;
    }
}

/// What a thread has used of its processor, in hundredths of a second; on a busy machine a clock says less. Without
/// Linux's `/proc` nothing is known, and nothing watched.
fn processor_time(task: &std::path::Path) -> u64 {
    let text =
        std::fs::read_to_string(std::path::Path::new("/proc").join(task).join("stat")).unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    // Fields 14 and 15 of proc(5): user and system; the third is the first behind the name.
    fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum()
}

#[test]
fn a_case_that_takes_too_long_is_seen() {
    let task = std::fs::read_link("/proc/thread-self").unwrap_or_default();
    let before = processor_time(&task);
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(5) && processor_time(&task) < before + 5 {}
    assert!(processor_time(&task) >= before + 5 || !cfg!(target_os = "linux"));
}
