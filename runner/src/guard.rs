//! The only way out of a runner: an HTTP client that goes where the tenant may go, and nowhere else.
//!
//! Workflows come from tenants that do not trust each other, and their addresses come from data. A request is
//! judged by the address it would really connect to, after names are resolved, and again for each redirect.
//!
//! ```text
//! URL ─► Guard::check_url ─ literal address? ─► Egress::check(host, address, port)
//!                         └ name ─► client of that port ─► Resolver ─► Egress::check for each address
//! ```

mod address;
mod client;
mod egress;
mod network;
pub(crate) mod tls;

pub(crate) use client::{Guard, Refused};
pub use egress::{Blocked, Egress, EgressError};
