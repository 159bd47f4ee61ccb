//! Everything that can be read at one place, with its type, and whether it is there in any case.

use super::super::kinds::Kind;
use super::super::place::View;
use super::super::presence;
use super::super::reads::{Names, STEP};
use super::environment::Known;
use super::is;
use crate::expression::types::{Environment as _, Object, Type};

/// How deep fields inside fields are listed.
const DEPTH: usize = 4;
/// Names that one place lists.
const NAMES: usize = 2_000;

/// A name that can be read, and what it leads to.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::compile) struct Readable {
    /// As expressions write it; the items of a list are `[]`.
    pub(in crate::compile) path: String,
    pub(in crate::compile) type_: Type,
    /// It is there whenever this place is reached.
    pub(in crate::compile) is_certain: bool,
}

/// All names at a place, in the order in which the language lists them.
pub(in crate::compile) fn readable(view: View, names: &Names<'_>, known: &Known) -> Vec<Readable> {
    let mut found = Vec::new();
    let seen = known.seen_from(view, names);
    for root in names.roots(view) {
        match root {
            "inputs" | "vars" | "trigger" | "event" | "run" | "workflow" | "tenant" => {
                if let Some(Type::Object(object)) = seen.lookup(root) {
                    fields(root, &object, true, DEPTH, &mut found);
                }
                if root == "vars" {
                    variables(names, &mut found);
                }
            }
            "steps" => steps(view, names, known, &mut found),
            "turn" => {
                let innermost = view
                    .blocks(names.layout)
                    .find(|block| is(names, *block, Kind::Loop));
                if let Some(block) = innermost {
                    lent("turn", block, names, known, &mut found);
                }
            }
            "blocks" => {
                let around: Vec<usize> = view.blocks(names.layout).collect();
                let innermost = [Kind::ForEach, Kind::Loop]
                    .map(|kind| around.iter().find(|block| is(names, **block, kind)));
                for block in &around {
                    let is_group = is(names, *block, Kind::Group);
                    // What is nearest has shorter names.
                    if !is_group && !innermost.contains(&Some(block)) {
                        let path = format!("blocks.{}", names.layout.id(*block));
                        lent(&path, *block, names, known, &mut found);
                    }
                }
            }
            root => {
                let type_ = seen.lookup(root).unwrap_or(Type::Dyn);
                value(root, &type_, true, DEPTH, &mut found);
            }
        }
    }
    found
}

/// A value and its fields, as a list of names.
pub(in crate::compile) fn outline(path: &str, type_: &Type) -> Vec<Readable> {
    let mut found = Vec::new();
    value(path, type_, true, DEPTH, &mut found);
    found
}

/// Of the tenant's variables the names are known.
fn variables(names: &Names<'_>, found: &mut Vec<Readable>) {
    let own = &names.layout.spec.variables;
    let tenant = names.context.tenant_variables.iter().flatten();
    for name in tenant.filter(|name| !own.contains_key(*name)) {
        value(&format!("vars.{name}"), &Type::Dyn, true, 0, found);
    }
}

fn steps(view: View, names: &Names<'_>, known: &Known, found: &mut Vec<Readable>) {
    let seen = known.seen_from(view, names);
    for step in (0..names.layout.block.len()).filter(|step| names.can_read(*step, view)) {
        let id = names.layout.id(step);
        let ends = names.certainty.ends(step, view, names.layout);
        for field in STEP {
            let there = presence::ends_with(&names.layout.spec.steps[step], field);
            let is_certain = match (there, ends) {
                // Never there, here or anywhere.
                (Some(0), _) => continue,
                (Some(there), Some(ends)) if ends & there == 0 => continue,
                (Some(there), Some(ends)) => ends & !there == 0,
                (Some(_), None) => false,
                (None, _) => true,
            };
            let type_ = seen
                .path(&["steps", id, field])
                .map_or(Type::Dyn, |(type_, _)| type_);
            // What an error is made of is the same everywhere.
            let depth = if field == "output" { DEPTH } else { 0 };
            value(&format!("steps.{id}.{field}"), &type_, is_certain, depth, found);
        }
    }
}

/// What a block lends to its steps.
fn lent(path: &str, block: usize, names: &Names<'_>, known: &Known, found: &mut Vec<Readable>) {
    match &known.lent[block] {
        Type::Object(object) if is(names, block, Kind::Loop) => fields(path, object, true, DEPTH, found),
        item if is(names, block, Kind::ForEach) => value(&format!("{path}.item"), item, true, DEPTH, found),
        _ => {}
    }
    value(&format!("{path}.index"), &Type::Int, true, 0, found);
}

fn value(path: &str, type_: &Type, is_certain: bool, depth: usize, found: &mut Vec<Readable>) {
    if found.len() >= NAMES {
        return;
    }
    found.push(Readable {
        path: path.to_owned(),
        type_: type_.clone(),
        is_certain,
    });
    if depth == 0 {
        return;
    }
    match type_ {
        Type::Object(object) => fields(path, object, is_certain, depth, found),
        Type::List(element) => {
            if let Type::Object(object) = element.as_ref() {
                fields(&format!("{path}[]"), object, is_certain, depth, found);
            }
        }
        _ => {}
    }
}

fn fields(path: &str, object: &Object, is_certain: bool, depth: usize, found: &mut Vec<Readable>) {
    for field in &object.fields {
        let path = format!("{path}.{}", field.name);
        value(
            &path,
            &field.type_,
            is_certain && field.required,
            depth - 1,
            found,
        );
    }
}
