//! Names that exist, for whoever wrote one that does not.

use flowpilot_crds::unknown_fields::nearest;

/// How many names a message lists.
const LISTED: usize = 12;

/// What was probably meant.
pub(crate) fn nearest_of<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let lower = wrong.to_lowercase();
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    // Another case is nearer than any other letter.
    let same = names.iter().find(|name| name.to_lowercase() == lower);
    same.map(|name| (*name).to_owned())
        .or_else(|| nearest(wrong, names.into_iter()))
}

/// `there are a, b, c`, the nearest first; or `nothing` if there is no name.
pub(super) fn listed<'a>(
    wrong: &str,
    names: impl Iterator<Item = &'a str>,
    before: &str,
    nothing: &str,
) -> String {
    let mut names: Vec<&str> = names.filter(|name| *name != wrong).collect();
    if names.is_empty() {
        return nothing.to_owned();
    }
    if let Some(near) = nearest_of(wrong, names.iter().copied())
        && let Some(position) = names.iter().position(|name| *name == near)
    {
        names[..=position].rotate_right(1);
    }
    let rest = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
    let more = if rest > 0 {
        format!(" and {rest} more")
    } else {
        String::new()
    };
    format!("{before} {}{more}", names.join(", "))
}
