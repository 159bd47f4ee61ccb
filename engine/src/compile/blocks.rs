//! `turn`, and `blocks.<id>`: what blocks lend to their steps.

use super::Problems;
use super::kinds::Kind;
use super::layout::Layout;
use super::names::{listed, nearest_of};
use super::place::{Place, View};
use super::reads::{Names, is_plain};
use crate::expression::Read;

/// The carried values of a loop.
pub(super) fn carried<'a>(layout: &Layout<'a>, block: usize) -> impl Iterator<Item = &'a str> {
    let repeats = layout.spec.steps[block].loop_.as_ref();
    repeats.into_iter().flat_map(|repeats| {
        let later = repeats
            .next
            .keys()
            .filter(|name| !repeats.init.contains_key(*name));
        repeats.init.keys().chain(later).map(String::as_str)
    })
}

pub(super) fn turn(names: &Names<'_>, read: &Read, all: &[Read], place: Place<'_>, problems: &mut Problems) {
    let layout = names.layout;
    let block = place
        .view
        .blocks(layout)
        .find(|block| layout.kind(*block) == Some(Kind::Loop));
    if let Some(block) = block {
        carried_value(names, block, read, 1, all, place, problems);
    }
}

pub(super) fn outer(names: &Names<'_>, read: &Read, all: &[Read], place: Place<'_>, problems: &mut Problems) {
    let layout = names.layout;
    let around = || {
        place
            .view
            .blocks(layout)
            .filter(|block| layout.kind(*block) != Some(Kind::Group))
    };
    let Some(id) = read.path.get(1) else {
        let message = "blocks is read by a literal id: blocks.<id>.item";
        return problems.error("UnknownName", place.at(read), message);
    };
    let Some(block) = around().find(|block| layout.id(*block) == id) else {
        let ids = || around().map(|block| layout.id(block));
        let there = listed(id, ids(), "there are", "there are none");
        let message = format!("{id} is no forEach or loop around this step: {there}");
        let like = nearest_of(id, ids()).map(|id| format!("blocks.{id}"));
        return problems.suggesting("UnknownBlock", place.at(read), message, like);
    };
    if layout.kind(block) == Some(Kind::Loop) {
        return carried_value(names, block, read, 2, all, place, problems);
    }
    if let Some(field) = read.path.get(2)
        && !["item", "index"].contains(&field.as_str())
    {
        let message = format!("blocks.{id} has no field {field}: there are item, index");
        let like = nearest_of(field, ["item", "index"].into_iter());
        let like = like.map(|field| format!("blocks.{id}.{field}"));
        problems.suggesting("UnknownName", place.at(read), message, like);
    }
}

fn carried_value(
    names: &Names<'_>,
    block: usize,
    read: &Read,
    from: usize,
    all: &[Read],
    place: Place<'_>,
    problems: &mut Problems,
) {
    let Some(name) = read.path.get(from) else { return };
    if name == "index" {
        return;
    }
    let layout = names.layout;
    let known = || carried(layout, block).chain(["index"]);
    let id = layout.id(block);
    if !known().any(|known| known == name) {
        let there = listed(name, known(), "there are", "");
        let message = format!("the loop {id} carries no value {name}: {there}");
        let parent = read.path[..from].join(".");
        let like = nearest_of(name, known()).map(|name| format!("{parent}.{name}"));
        return problems.suggesting("UnknownName", place.at(read), message, like);
    }
    let Some(repeats) = &layout.spec.steps[block].loop_ else {
        return;
    };
    // `until` is asked after `next`; everything else runs in the first turn, too.
    let is_until = place.view == View::Until(block);
    if !repeats.init.contains_key(name) && !is_until && is_plain(read, from + 1, all) {
        let parent = read.path[..from].join(".");
        let message = format!("{parent}.{name} is absent in the first turn: `init` does not set it");
        let like = Some(format!("{parent}.?{name}"));
        problems.warning_suggesting("MayBeAbsent", place.at(read), message, like);
    }
}
