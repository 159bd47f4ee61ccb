//! The language held against CEL's own: the conformance data of the specification, and the reference implementation.

mod conformance;
mod differential;
mod generator;
mod tagged;
