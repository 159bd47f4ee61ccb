//! What is found before anything runs, and what is not complained about.

mod expressions;
mod schemas;

use super::{Environment, ProblemKind, Program, Text, Tree, Type, TypeProblem, may_satisfy};
use serde_json::{Value as Json, json};
