//! Templates: `{template, data}` stands for a text anywhere in `with`.
//!
//! What stands in a template is not CEL: `$(` is literal there. In a plan its dollars are doubled, so that the text
//! comes out of the evaluation as it was written; whoever performs the action renders it.

use serde_json::{Map, Value};

/// The template and its data, if a value is one.
pub(super) fn of(value: &Value) -> Option<(&str, Option<&Map<String, Value>>)> {
    let fields = value.as_object()?;
    let template = fields.get("template")?.as_str()?;
    if fields.keys().any(|name| name != "template" && name != "data") {
        return None;
    }
    match fields.get("data") {
        None => Some((template, None)),
        Some(Value::Object(data)) => Some((template, Some(data))),
        Some(_) => None,
    }
}

/// Every template in a value, with its path.
pub(super) fn each(
    value: &Value,
    path: &str,
    visit: &mut dyn FnMut(&str, Option<&Map<String, Value>>, &str),
) {
    if let Some((template, data)) = of(value) {
        return visit(template, data, path);
    }
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                each(item, &format!("{path}[{index}]"), visit);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                each(field, &format!("{path}.{name}"), visit);
            }
        }
        _ => {}
    }
}

/// The value with every `$(` in a template made literal; nothing if there is no template in it.
pub(super) fn literal(value: &Value) -> Option<Value> {
    let mut found = false;
    each(value, "", &mut |_, _, _| found = true);
    if !found {
        return None;
    }
    let mut value = value.clone();
    make_literal(&mut value);
    Some(value)
}

fn make_literal(value: &mut Value) {
    if of(value).is_some() {
        if let Some(Value::String(template)) = value.get_mut("template") {
            *template = escaped(template);
        }
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(make_literal),
        Value::Object(fields) => fields.values_mut().for_each(make_literal),
        _ => {}
    }
}

/// Each dollar of a run before a bracket twice.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut dollars = 0;
    for letter in text.chars() {
        if letter == '$' {
            dollars += 1;
            continue;
        }
        let times = if letter == '(' { 2 * dollars } else { dollars };
        out.extend(std::iter::repeat_n('$', times));
        dollars = 0;
        out.push(letter);
    }
    out.extend(std::iter::repeat_n('$', dollars));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Text;
    use serde_json::json;

    #[test]
    fn what_stands_in_a_template_comes_out_as_it_was_written() {
        for text in ["a $(b) c", "$$(x)", "$$$(", "$5 (five)", "$", "", "cost: $$"] {
            assert_eq!(
                Text::parse(&escaped(text)).unwrap().literal(),
                Some(text),
                "{text}"
            );
        }
    }

    #[test]
    fn only_a_text_with_its_data_is_a_template() {
        assert!(of(&json!({"template": "x"})).is_some());
        assert!(of(&json!({"template": "x", "data": {"a": 1}})).is_some());
        for other in [
            json!({"template": 1}),
            json!({"template": "x", "data": []}),
            json!({"template": "x", "more": 1}),
            json!({"data": {}}),
            json!("x"),
        ] {
            assert!(of(&other).is_none(), "{other}");
        }
    }
}
