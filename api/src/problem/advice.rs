//! What the caller does about a problem: read from the table of `docs/errors.md`, so that it is said in one place.

use super::Code;

const PAGE: &str = include_str!("../../../docs/errors.md");

/// What to do, in one sentence without its full stop.
#[must_use]
pub fn advice(code: Code) -> &'static str {
    row(code).map_or("read docs/errors.md", |(_, advice)| advice)
}

/// Statuses and advice of the line that has this code.
fn row(code: Code) -> Option<(&'static str, &'static str)> {
    let word = format!("`{}`", code.as_str());
    PAGE.lines().find_map(|line| {
        let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
        let (statuses, codes, advice) = (cells.next()?, cells.next()?, cells.next()?);
        codes
            .split(' ')
            .any(|one| one == word)
            .then_some((statuses, advice))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_code_with_its_status() {
        for code in Code::ALL {
            let (statuses, advice) = row(*code).unwrap_or_else(|| panic!("docs/errors.md lacks {code:?}"));
            let status = code.status().as_u16().to_string();
            assert!(
                statuses.split(", ").any(|one| one == status),
                "{code:?}: {statuses}"
            );
            assert!(!advice.is_empty() && !advice.ends_with('.'), "{code:?}: {advice}");
        }
    }
}
