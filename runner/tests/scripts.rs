//! Scripts in processes of their own, with the real program as the worker.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use flowpilot_runner::script::{Attempt, Job, Limits, ScriptError, Scripts, perform};
use serde_json::{Value, json};

fn scripts() -> Scripts {
    Scripts::of(PathBuf::from(env!("CARGO_BIN_EXE_flowpilot-runner")))
}

fn job(source: &str) -> Job {
    Job {
        source: source.to_owned(),
        input: json!({"n": 20}),
        now: jiff::Timestamp::UNIX_EPOCH,
        seed: 1,
    }
}

async fn run(scripts: &Scripts, source: &str) -> Result<Value, ScriptError> {
    let limits = Limits {
        time: Duration::from_secs(2),
        ..Limits::default()
    };
    scripts.run(job(source), limits).await.map(|output| output.value)
}

#[tokio::test]
async fn a_worker_runs_many_scripts() {
    let scripts = scripts();
    for turn in 0..50 {
        let output = run(
            &scripts,
            &format!("return [input.n + {turn}, globalThis.seen ?? null, globalThis.seen = 1]"),
        )
        .await;
        assert_eq!(output.unwrap(), json!([20 + turn, null, 1]));
    }
    let error = run(&scripts, "throw {code: 'NotFound', message: 'no'}")
        .await
        .unwrap_err();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("NotFound", "no"));
    let zone = run(
        &scripts,
        "return [new Date(2026, 5, 1).toISOString(), new Date().getTimezoneOffset()]",
    )
    .await;
    assert_eq!(zone.unwrap(), json!(["2026-06-01T00:00:00.000Z", 0]));
}

#[tokio::test]
async fn work_that_cannot_be_interrupted_is_killed() {
    let scripts = scripts();
    for source in [
        "return Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1)",
        "const a = []; a.length = 2 ** 32 - 1; return a.reverse().includes(7) || a.lastIndexOf(3)",
        "for (let i = 0; i < 9000; i++) 7n ** 300000n % 11n",
    ] {
        let start = Instant::now();
        let error = run(&scripts, source).await.unwrap_err();
        assert_eq!(error.code, "LimitExceeded", "{source}: {error:?}");
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{source}: {:?}",
            start.elapsed()
        );
    }
    assert_eq!(run(&scripts, "return 1").await.unwrap(), json!(1));
}

#[tokio::test]
async fn a_script_that_nobody_wants_any_more_is_killed() {
    let scripts = scripts();
    let endless = "return Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1)";
    // Both places are taken, and given back.
    for _ in 0..4 {
        let wanted = tokio::time::timeout(Duration::from_millis(200), run(&scripts, endless)).await;
        assert!(wanted.is_err());
    }
    assert_eq!(run(&scripts, "return 1").await.unwrap(), json!(1));
}

#[tokio::test]
async fn an_attempt_gives_an_output_or_an_error_of_the_step() {
    let scripts = scripts();
    let attempt = Attempt {
        run: uuid::Uuid::from_u128(7),
        step: "a",
        number: 1,
        now: "2026-01-02T03:04:05Z".parse().unwrap(),
    };
    let source = "console.log('hello'); return [input.n, Date.now(), Math.random()]".to_owned();
    let output = perform(&scripts, attempt, source.clone(), json!({"n": 1}))
        .await
        .unwrap();
    assert_eq!(
        (&output[0], &output[1]),
        (&json!(1), &json!(1_767_323_045_000_i64))
    );
    assert_eq!(
        perform(&scripts, attempt, source, json!({"n": 1})).await.unwrap(),
        output
    );
    let error = perform(&scripts, attempt, "return NaN".to_owned(), json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.retryable),
        ("InvalidOutput", Some(false))
    );
}

#[tokio::test]
async fn a_program_that_is_no_worker_is_named() {
    let error = run(&Scripts::of(PathBuf::from("/does/not/exist")), "return 1")
        .await
        .unwrap_err();
    assert!(
        error.code == "Internal" && error.message.contains("did not start"),
        "{error:?}"
    );
    let error = run(&Scripts::of(PathBuf::from("/bin/true")), "return 1")
        .await
        .unwrap_err();
    assert!(
        error.code == "Interrupted" && error.message.contains("the process of the script ended"),
        "{error:?}"
    );
}

#[test]
fn a_worker_ends_with_its_runner_even_in_the_middle_of_a_script() {
    let request = json!({"job": job("return Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1)"), "limits": Limits::default()});
    let request = request.to_string();
    let mut worker = Command::new(env!("CARGO_BIN_EXE_flowpilot-runner"))
        .arg("script-worker")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = worker.stdin.take().unwrap();
    to.write_all(&u32::try_from(request.len()).unwrap().to_le_bytes())
        .unwrap();
    to.write_all(request.as_bytes()).unwrap();
    drop(to);
    let start = Instant::now();
    while worker.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(20) {
            worker.kill().unwrap();
            panic!("the worker goes on without its runner");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn what_a_script_costs() {
    let scripts = scripts();
    run(&scripts, "return 1").await.unwrap();
    let start = Instant::now();
    for _ in 0..100 {
        run(&scripts, "return input.n").await.unwrap();
    }
    println!("{:?} for each script in a worker", start.elapsed() / 100);
}
