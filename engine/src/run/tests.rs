//! The machine in a small world: actions answer from a list, time is simulated.

mod answers;
mod ends;
mod groups;
mod iterations;
mod joins;
mod people;
mod random;
mod recovery;
mod replays;
mod retries;
mod undo;
mod values;
mod world;
