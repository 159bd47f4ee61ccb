//! Manifests: read or refused with a position, then checked in every way.

use flowpilot_engine::compile::{Context, Support};
use flowpilot_engine::manifest::{check, parse};

use super::corpus::MANIFESTS;
use super::{fuzz, mutate};
use crate::generate;
use crate::random::Random;

#[test]
fn manifests() {
    assert!(!MANIFESTS.is_empty(), "read before the time begins");
    fuzz("manifests", |random, show| {
        let text = if random.chance(30) {
            generate::flow(&mut Random::new(random.next())).manifest()
        } else {
            random.of(&MANIFESTS).clone()
        };
        let bytes = mutate::bytes(random, &text, &MANIFESTS);
        show(&String::from_utf8_lossy(&bytes));
        let documents = match parse(&bytes) {
            Ok(documents) => documents,
            Err(problems) => {
                let placed = problems
                    .iter()
                    .all(|problem| problem.line > 0 && problem.column > 0);
                assert!(placed && !problems.is_empty(), "{problems:?}");
                return;
            }
        };
        // Lines may also be parted by a carriage return alone.
        let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).count();
        let support = if random.chance(50) {
            Support::Everything
        } else {
            Support::Server
        };
        let context = Context {
            support,
            ..Context::default()
        };
        for document in &documents {
            for problem in check(document, &context) {
                let (line, column) = document.position(&problem.path).unwrap();
                assert!(
                    line > 0 && column > 0 && line as usize <= lines + 1,
                    "{problem:?} at {line}:{column}"
                );
                assert!(
                    !problem.code.is_empty() && !problem.message.is_empty(),
                    "{problem:?}"
                );
            }
        }
    });
}
