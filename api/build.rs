//! Tells cargo what it cannot see: migrations are compiled in, and the shipped program is linked small.

#[path = "build/link.rs"]
mod link;

fn main() {
    link::say("rerun-if-changed=migrations");
    link::say("rerun-if-changed=build.rs");
    link::say("rerun-if-changed=build/link.rs");
    link::small();
}
