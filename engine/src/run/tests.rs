//! The machine in a small world: actions answer from a list, time is simulated.

mod ends;
mod joins;
mod random;
mod recovery;
mod retries;
mod values;
mod world;
