//! The meaning of a workflow: compiler, expressions and a pure state machine.
