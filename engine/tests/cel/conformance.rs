//! The conformance data of CEL's specification, for every part that the language claims.
//!
//! `conformance.json` was made of the data in the Go module `cel.dev/expr` (tests/simple/testdata, Apache License 2.0,
//! copyright Google LLC) by `go run . conformance` in `reference/`. Tests of protocol buffers are not among it.

use super::tagged;
use flowpilot_engine::expression::{Budget, Program, Value, Variables};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Case {
    name: String,
    expr: String,
    #[serde(default)]
    vars: BTreeMap<String, Json>,
    #[serde(default)]
    value: Json,
    #[serde(default)]
    error: bool,
}

/// Tests that come out otherwise on purpose; `docs/expressions.md` says why.
const DEVIATIONS: &[&str] = &[
    // A call of an unknown function is refused while parsing; the data wants it hidden by `||`.
    "basic/functions/unbound_is_runtime_error",
    // Whole numbers and doubles compare exactly.
    "comparisons/lt_literal/not_lt_dyn_int_big_lossy_double",
    "comparisons/gt_literal/not_gt_dyn_big_double_int",
    "comparisons/lte_literal/lte_dyn_big_double_int",
    "comparisons/gte_literal/gte_dyn_int_big_lossy_double",
    // Nothing is found behind the end of a text: so cel-go has it, and says so in its documentation.
    "string_ext/value_errors/indexof_out_of_range",
    "string_ext/value_errors/lastindexof_out_of_range",
    // No names with dots in them.
    "fields/qualified_identifier_resolution/qualified_ident",
    "fields/qualified_identifier_resolution/map_field_select",
    "fields/qualified_identifier_resolution/qualified_identifier_resolution_unchecked",
    "fields/qualified_identifier_resolution/ident_with_longest_prefix_check",
    // Rounding takes an int as well.
    "math_ext/ceil/dyn_error",
    "math_ext/floor/dyn_error",
    "math_ext/round/dyn_error",
    "math_ext/trunc/dyn_error",
    // The last hours of the year 9999 have no local form in every zone.
    "timestamps/timestamp_conversions/toString_timestamp_nanos",
];

fn evaluate(case: &Case) -> Result<Value, String> {
    let mut scope = Variables::default();
    for (name, value) in &case.vars {
        scope.set(name.clone(), tagged::decode(value));
    }
    let program = Program::parse(&case.expr).map_err(|error| error.to_string())?;
    program
        .evaluate(&scope, &mut Budget::default())
        .map_err(|error| error.to_string())
}

#[test]
fn the_conformance_data_of_the_specification() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("conformance.json")).unwrap();
    assert!(cases.len() > 1000, "{} cases", cases.len());
    let mut failures = Vec::new();
    for case in &cases {
        let outcome = evaluate(case);
        let expected = if case.error {
            "an error".to_owned()
        } else {
            case.value.to_string()
        };
        let found = match &outcome {
            Ok(value) => tagged::encode(value).to_string(),
            Err(_) => "an error".to_owned(),
        };
        // The same for each word that is no function name.
        let deviates = DEVIATIONS.contains(&case.name.as_str())
            || case.name.starts_with("parse/receiver_function_names/");
        if (found == expected) == deviates {
            let reason = outcome.err().unwrap_or_default();
            failures.push(format!(
                "{}: {}\n    expected {expected}\n    found    {found} {reason}",
                case.name, case.expr
            ));
        }
    }
    assert!(
        failures.is_empty(),
        "{} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
    for name in DEVIATIONS {
        assert!(
            cases.iter().any(|case| case.name == *name),
            "no test is called {name}"
        );
    }
}
