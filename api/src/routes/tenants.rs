//! Tenants.

pub mod show;
