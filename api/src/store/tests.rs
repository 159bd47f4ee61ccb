//! The schema and its walls, on a real Postgres.

mod isolation;
mod registry;
mod sabotage;
mod schema;
mod statements;
