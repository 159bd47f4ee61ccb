mod checked;
mod fuzz;
mod guards;
mod rendered;

use super::*;
use serde_json::json;

#[expect(clippy::needless_pass_by_value, reason = "callers write the value in place")]
fn data(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn render(source: &str, value: Value) -> Result<String, TemplateError> {
    Template::parse(source)?.render(&data(value), Target::Text)
}

fn text(source: &str, value: Value) -> String {
    render(source, value).unwrap_or_else(|error| panic!("{source}: {error}"))
}

/// The message of an error at parsing or rendering.
fn message(source: &str, value: Value) -> String {
    match render(source, value) {
        Ok(text) => panic!("{source} gives {text}"),
        Err(error) => error.to_string(),
    }
}

/// On a stack as small as a thread of a server has it.
fn on_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    thread.spawn(work).unwrap().join().unwrap()
}
