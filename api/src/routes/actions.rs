//! What steps can use.

pub mod list;
