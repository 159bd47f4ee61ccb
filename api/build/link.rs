//! How the shipped programs of this crate, of `cli` and of `operator` are linked. Part of their build scripts:
//! flags in `.cargo/config.toml` would be lost as soon as somebody sets RUSTFLAGS.

use std::io::Write;

/// Says one line to cargo.
pub(crate) fn say(line: &str) {
    let _ = std::io::stdout().write_all(format!("cargo:{line}\n").as_bytes());
}

/// Links release builds small: identical functions once, and relocations in a tenth of the space. That is about 2 MB of
/// an image that may have 30. Only where rustc links with lld by itself.
pub(crate) fn small() {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("TARGET", "x86_64-unknown-linux-gnu") && is("PROFILE", "release") {
        say("rustc-link-arg-bins=-Wl,--icf=all");
        say("rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
