//! How often the interpreter asks for memory, per event of the journal. Prints one JSON object per figure.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

mod support;

use serde_json::json;
use support::runs::{THREE_STEPS, items, plan, run};

fn main() {
    for (name, text) in [
        ("three steps", THREE_STEPS.to_owned()),
        ("forEach of 10000", items(10_000)),
    ] {
        let plan = plan(&text);
        let mut events = 0;
        let counted = allocation_counter::measure(|| events = run(&plan).1.len() as u64);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let (allocations, bytes) = (
            counted.count_total as f64 / events as f64,
            counted.bytes_total as f64 / events as f64,
        );
        for (what, unit, value) in [
            ("allocations per event", "", allocations),
            ("bytes allocated per event", "B", bytes),
        ] {
            let what = format!("{name}: {what}");
            println!("{}", json!({"what": what, "unit": unit, "values": [value]}));
        }
    }
}
