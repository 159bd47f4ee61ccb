//! About the installation.

pub mod health;
pub mod openapi;
pub mod problems;
pub mod show;
