//! The expression language of workflows: CEL in `$( … )`.
//!
//! Purpose: what a manifest computes (`when`, `with`, `outputs`, …) is written in CEL. This module parses it
//! once, tells the compiler what it reads, and evaluates it against values that the caller supplies.
//!
//! Boundary: pure. No clock, no randomness, no I/O: `now()`, `uuid()` and `random()` come from the [`Scope`].
//! Which names may be read is the compiler's business; it asks [`Program::reads`].
//!
//! Why an implementation of our own: every evaluation has a [`Budget`], nothing recurses further than a fixed
//! depth, and a value keeps its type through JSON. Manifests come from tenants that do not trust each other.
//!
//! ```text
//! text ──► lexer ──► parser (macros, functions resolved) ──► Program ──► evaluate(scope, budget) ──► Value
//!                                                            └──► reads(), check(types)  for the compiler
//! Text: "Hello $(inputs.name)"     Tree: JSON whose strings are Texts
//! ```

mod arithmetic;
mod ast;
mod budget;
mod compare;
mod compared;
mod convert;
mod error;
mod evaluate;
mod fold;
mod functions;
mod lexer;
mod literal;
mod macros;
mod map;
mod parser;
mod print;
mod program;
mod reads;
mod scope;
mod suggest;
mod text;
mod tree;
pub mod types;
mod value;

#[cfg(test)]
mod tests;

pub use budget::Budget;
pub use compared::Compared;
pub use error::{EvaluationError, ParseError};
pub use map::{Key, Map};
pub use program::Program;
pub use reads::Read;
pub use scope::{Scope, Variables};
pub(crate) use suggest::nearest;
pub use text::Text;
pub use tree::Tree;
pub use value::{JsonError, Type, Value};

/// The longest expression. More is a program, and belongs into a script.
pub const SOURCE_LIMIT: usize = 4 * 1024;

/// How deep brackets and operators may nest in the source. The parser recurses once per level, so this bounds
/// its stack.
pub const NESTING_LIMIT: usize = 64;

/// How deep the syntax tree may be: chains of calls nest without brackets. The evaluator recurses once per
/// level, so this bounds its stack.
pub const TREE_DEPTH_LIMIT: u16 = 128;

/// How deep a value may nest to become JSON. JSON readers stop at 128; a value that is written must still be
/// readable inside the journal's own envelope.
pub const VALUE_DEPTH_LIMIT: usize = 100;
