//! Links the shipped program small.

#[path = "../api/build/link.rs"]
mod link;

fn main() {
    link::say("rerun-if-changed=build.rs");
    link::say("rerun-if-changed=../api/build/link.rs");
    link::small();
}
