//! Comments and blank lines between entries, and to which of them they belong.
//!
//! A comment directly above an entry is its head and moves with it; one directly below, with a blank line after it, is
//! its foot; so is one that is indented deeper than what follows, such as steps that are commented out. What stands
//! free between two blank lines belongs to what follows.

use super::tree::{Refused, refused};

/// A line without anything of YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Blank,
    /// Its column, and the text from `#`.
    Comment(usize, String),
}

/// The lines of a range that begins and ends at line breaks.
pub(super) fn lines(text: &str, range: std::ops::Range<usize>) -> Result<Vec<Line>, Refused> {
    let mut at = range.start;
    let mut found = Vec::new();
    for line in text[range].split_inclusive('\n') {
        let written = line.trim();
        if written.is_empty() {
            found.push(Line::Blank);
        } else if written.starts_with('#') {
            let column = line.len() - line.trim_start().len();
            found.push(Line::Comment(column, written.to_owned()));
        } else {
            return refused(at, "this is not understood between two entries");
        }
        at += line.len();
    }
    Ok(found)
}

/// Splits what stands between an entry and the next one, whose column is given, into foot and head.
pub(super) fn split(mut gap: Vec<Line>, next: usize) -> (Vec<Line>, Vec<Line>) {
    let adjacent = gap.iter().position(|line| *line == Line::Blank).unwrap_or(0);
    let deeper = gap
        .iter()
        .rposition(|line| matches!(line, Line::Comment(column, _) if *column > next));
    let head = gap.split_off(adjacent.max(deeper.map_or(0, |last| last + 1)));
    (gap, head)
}

/// Takes the comments that belong into a collection of this column from a foot.
pub(super) fn take_deeper(foot: &mut Vec<Line>, column: usize) -> Vec<Line> {
    let shallow = foot
        .iter()
        .position(|line| matches!(line, Line::Comment(at, _) if *at < column));
    let taken = &foot[..shallow.unwrap_or(foot.len())];
    let end = taken
        .iter()
        .rposition(|line| *line != Line::Blank)
        .map_or(0, |last| last + 1);
    let rest = foot.split_off(end);
    std::mem::replace(foot, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comment(column: usize, text: &str) -> Line {
        Line::Comment(column, text.to_owned())
    }

    #[test]
    fn a_comment_belongs_to_what_it_touches() {
        let above = || vec![comment(2, "# above")];
        assert_eq!(split(above(), 2), (vec![], above()));
        let below = [vec![comment(2, "# below"), Line::Blank], above()].concat();
        let (foot, head) = split(below, 2);
        assert_eq!(
            (foot, head),
            (vec![comment(2, "# below")], [vec![Line::Blank], above()].concat())
        );
        let free = [vec![Line::Blank, comment(2, "# free"), Line::Blank], above()].concat();
        assert_eq!(split(free.clone(), 2), (vec![], free));
    }

    #[test]
    fn what_is_indented_deeper_than_what_follows_belongs_to_what_was_before() {
        let gap = vec![Line::Blank, comment(4, "# - id: b"), comment(2, "# next")];
        let (mut foot, head) = split(gap, 2);
        assert_eq!(head, [comment(2, "# next")]);
        assert_eq!(take_deeper(&mut foot, 4), [Line::Blank, comment(4, "# - id: b")]);
        assert_eq!(foot, []);
    }

    #[test]
    fn anything_else_between_entries_is_refused() {
        assert_eq!(lines("# a\n  x\n", 0..8).unwrap_err().at, 4);
    }
}
