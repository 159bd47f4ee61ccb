//! The language against the reference implementation, cel-go: generated expressions must give the same value, or an
//! error in both.
//!
//! `FLOWPILOT_FUZZ_EXPRESSIONS` and `FLOWPILOT_FUZZ_SEED` say how many and which; without Go the test is left out.

use super::{
    generator::{DATA, Generator},
    tagged,
};
use flowpilot_engine::expression::{Budget, Program, Variables};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

const EXPRESSIONS: u64 = 5_000;
const SEED: u64 = 1;
/// Differences on purpose that the grammar cannot keep out: what the error says, here or there.
const DEVIATIONS: &[&str] = &[
    // Here a key stands once, and is a text, whole number or truth value; there the last of them wins, of any type.
    "stands twice",
    "the key of a map is",
    // There arguments that are plainly wrong are refused while parsing, also where they are never evaluated.
    "simple literal arguments must be numeric",
    "invalid single argument value",
    "invalid qualifier type",
    "sortBy can only be applied to",
    // Here types become text.
    "no such overload: string(type)",
    // There NaN is compared with anything.
    "cannot compare double NaN with",
    "with double NaN in",
    // Here a pattern that is none is refused while parsing, also where it is never used.
    "not parsed: invalid pattern",
    // There bytes are looked up in a map, and break it; or stand in a text that is none.
    "unhashable type",
    "%s: the bytes are no UTF-8 text",
    // Here `--9223372036854775808` is read.
    "invalid int literal",
    // Here lists have these functions, too.
    "no such overload: indexOf(list",
    "no such overload: lastIndexOf(list",
    // There nothing is wrong with a text or truth value that happens to be empty, or with a plain value.
    "only lists and maps can be walked over",
    "the result of optFlatMap must be an optional",
    "or takes an optional",
];
/// So many differences are shown.
const SHOWN: usize = 25;

#[derive(Deserialize)]
struct Answer {
    value: Json,
    #[serde(default)]
    error: Option<String>,
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number"))
    })
}

/// Builds the reference, or says that it cannot be.
fn reference() -> Option<PathBuf> {
    if Command::new("go").arg("version").output().is_err() {
        println!("left out: there is no Go to build the reference implementation with");
        return None;
    }
    let cache = env::var_os("FLOWPILOT_CACHE").map_or_else(
        || Path::new(&env::var_os("HOME").unwrap_or_else(|| "/tmp".into())).join(".cache/flowpilot"),
        PathBuf::from,
    );
    let program = cache.join("bin/cel-reference");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cel/reference"))
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    Some(program)
}

/// What this implementation makes of it, as the reference writes it.
fn own(source: &str, scope: &Variables) -> Result<Json, String> {
    let program = Program::parse(source).map_err(|error| format!("not parsed: {error}"))?;
    let value = program
        .evaluate(scope, &mut Budget::default())
        .map_err(|error| error.to_string())?;
    Ok(tagged::encode(&value))
}

#[test]
fn generated_expressions_mean_what_the_reference_says() {
    let Some(reference) = reference() else { return };
    let count = number("FLOWPILOT_FUZZ_EXPRESSIONS", EXPRESSIONS);
    let seed = number("FLOWPILOT_FUZZ_SEED", SEED);
    let data: Json = serde_json::from_str(DATA).unwrap();
    let mut scope = Variables::default();
    scope.set_json("inputs", &data["inputs"]);

    let mut child = Command::new(reference)
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut questions = child.stdin.take().unwrap();
    let answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let asking = thread::spawn(move || {
        let mut generator = Generator::new(seed);
        for place in 0..count {
            let mut question = json!({"expr": generator.expression()});
            if place == 0 {
                question["vars"] = data.clone();
            }
            writeln!(questions, "{question}").unwrap();
        }
    });

    let mut generator = Generator::new(seed);
    let (mut values, mut known_differences, mut differences) = (0_u64, 0_u64, Vec::new());
    for line in answers {
        let source = generator.expression();
        let answer: Answer = serde_json::from_str(&line.unwrap()).unwrap();
        let own = own(&source, &scope);
        let same = match (&own, &answer.error) {
            (Ok(own), None) => answer.value == *own,
            (Err(_), Some(_)) => true,
            (Err(error), None) | (Ok(_), Some(error)) => {
                // There `[optional.none()][0].a` is an error, but `optional.none().a` is not.
                let absent = own == Ok(json!({"o": []})) && error.starts_with("no such key");
                let known = absent || DEVIATIONS.iter().any(|deviation| error.contains(deviation));
                known_differences += u64::from(known);
                known
            }
        };
        values += u64::from(own.is_ok());
        if !same {
            let expected = answer.error.unwrap_or_else(|| answer.value.to_string());
            differences.push(format!(
                "{source}\n    reference: {expected}\n    here:      {own:?}"
            ));
        }
    }
    asking.join().unwrap();
    assert!(child.wait().unwrap().success());
    println!(
        "{count} expressions from seed {seed}: {values} gave values, {known_differences} differ on purpose, {} by mistake",
        differences.len()
    );
    assert!(
        values > count / 3,
        "most expressions fail: only {values} of {count} gave a value"
    );
    let shown = &differences[..differences.len().min(SHOWN)];
    assert!(
        differences.is_empty(),
        "{} differ:\n{}",
        differences.len(),
        shown.join("\n")
    );
}
