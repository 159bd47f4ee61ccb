//! Finds fields that no schema knows, as the API server's strict validation would, for manifests that do not pass
//! through one: files given to `flowpilot lint` and `flowpilot dev`, and bodies of REST calls.

use kube::CustomResourceExt;
use serde_json::Value;

/// A field that the kind does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownField {
    /// Where it stands, such as `spec.steps[2].usez`.
    pub path: String,
    /// The known field with the most similar name, if one is near.
    pub suggestion: Option<String>,
}

/// All unknown fields of `object`, an instance of kind `K`.
#[must_use]
pub fn unknown_fields<K: CustomResourceExt>(object: &Value) -> Vec<UnknownField> {
    unknown_to(&schema_of::<K>(), object)
}

/// The OpenAPI schema of a kind. Making it takes longer than using it: keep it.
#[must_use]
pub fn schema_of<K: CustomResourceExt>() -> Value {
    let definition = K::crd();
    let version = definition.spec.versions.into_iter().next();
    let schema = version.and_then(|version| version.schema?.open_api_v3_schema);
    serde_json::to_value(schema).unwrap_or_default()
}

/// All fields of `object` that a schema made by [`schema_of`] does not know.
#[must_use]
pub fn unknown_to(schema: &Value, object: &Value) -> Vec<UnknownField> {
    let mut found = Vec::new();
    for field in ["spec", "status"] {
        if let (Some(value), Some(known)) = (object.get(field), schema["properties"].get(field)) {
            walk(value, known, field, &mut found);
        }
    }
    let top = ["apiVersion", "kind", "metadata", "spec", "status"];
    for name in object.as_object().into_iter().flat_map(|map| map.keys()) {
        if !top.contains(&name.as_str()) {
            let suggestion = nearest(name, top.into_iter());
            found.push(UnknownField {
                path: name.clone(),
                suggestion,
            });
        }
    }
    found
}

fn walk(value: &Value, schema: &Value, path: &str, found: &mut Vec<UnknownField>) {
    if schema["x-kubernetes-preserve-unknown-fields"] == Value::Bool(true) {
        return;
    }
    match value {
        Value::Object(map) => {
            let properties = schema["properties"].as_object();
            let others = schema.get("additionalProperties");
            for (name, inner) in map {
                match properties.and_then(|known| known.get(name)).or(others) {
                    // Most values have nothing in them that could be unknown.
                    Some(known) if inner.is_object() || inner.is_array() => {
                        walk(inner, known, &format!("{path}.{name}"), found);
                    }
                    Some(_) => {}
                    None => {
                        if let Some(known) = properties {
                            let suggestion = nearest(name, known.keys().map(String::as_str));
                            found.push(UnknownField {
                                path: format!("{path}.{name}"),
                                suggestion,
                            });
                        }
                    }
                }
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                if inner.is_object() || inner.is_array() {
                    walk(inner, &schema["items"], &format!("{path}[{index}]"), found);
                }
            }
        }
        _ => {}
    }
}

/// The candidate with the smallest edit distance to `name`, if it is small enough to be a slip of the pen.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let limit = (name.chars().count() / 3).clamp(1, 3);
    candidates
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for i in 1..=left.len() {
        let mut row = vec![i];
        for j in 1..=right.len() {
            let cost = usize::from(left[i - 1] != right[j - 1]);
            let mut best = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Workflow;

    #[test]
    fn unknown_fields_are_found_with_their_path_and_the_nearest_name() {
        let manifest = serde_json::json!({
            "apiVersion": "flowpilot.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "a"}, "spce": {},
            "spec": {"steps": [{"id": "a", "usez": "core/log@1", "with": {"any": {"thing": 1}}, "set": {"x": 1}}]},
        });
        let found = unknown_fields::<Workflow>(&manifest);
        let paths: Vec<_> = found
            .iter()
            .map(|f| (f.path.as_str(), f.suggestion.as_deref()))
            .collect();
        assert_eq!(
            paths,
            [("spec.steps[0].usez", Some("uses")), ("spce", Some("spec"))]
        );
    }

    #[test]
    fn nearest_knows_slips_and_not_other_words() {
        let names = ["charge", "refund", "needs"];
        assert_eq!(nearest("chrage", names.into_iter()).as_deref(), Some("charge"));
        assert_eq!(nearest("invoice", names.into_iter()), None);
    }
}
