//! The benchmark: each figure measured several times in one run on the installation that is there, with its spread.
//!
//! What is measured end to end includes the client, HTTP, the API server, Postgres and a runner. The machine's state
//! stands above the table: figures of different machines or of a busy one are not compared.

pub mod development;
pub mod figures;
pub mod footprint;
pub mod language;
pub mod runs;
pub mod writes;
