//! From JSON Schema to types, and from types to what a schema accepts.

use super::*;

fn type_of(schema: &Json) -> String {
    Type::from_schema(schema).to_string()
}

#[test]
fn plain_schemas() {
    assert_eq!(type_of(&json!({"type": "string"})), "string");
    assert_eq!(type_of(&json!({"type": "number"})), "number");
    assert_eq!(type_of(&json!({"type": ["string", "null"]})), "string or null");
    assert_eq!(type_of(&json!({"type": ["integer", "number"]})), "number");
    assert_eq!(
        type_of(&json!({"type": "array", "items": {"type": "integer"}})),
        "list of int"
    );
    assert_eq!(type_of(&json!({"items": {"type": "integer"}})), "list of int");
    assert_eq!(type_of(&json!({"enum": ["a", "b"]})), "string");
    assert_eq!(type_of(&json!({"const": 1})), "int");
    assert_eq!(
        type_of(&json!({"anyOf": [{"type": "string"}, {"type": "boolean"}]})),
        "string or bool"
    );
    for unknown in [
        json!(true),
        json!({}),
        json!({"type": "colour"}),
        json!({"anyOf": [{}, {"type": "string"}]}),
    ] {
        assert_eq!(Type::from_schema(&unknown), Type::Dyn, "{unknown}");
    }
    assert_eq!(
        type_of(&json!({"type": "object", "additionalProperties": {"type": "integer"}})),
        "map"
    );
}

fn fields(schema: &Json) -> (Vec<String>, bool) {
    let Type::Object(object) = Type::from_schema(schema) else {
        panic!("{schema} is no object");
    };
    let fields = object.fields.iter().map(|field| {
        format!(
            "{}{}: {}",
            field.name,
            if field.required { "" } else { "?" },
            field.type_
        )
    });
    (fields.collect(), object.rest.is_some())
}

#[test]
fn objects_are_closed_unless_they_say_otherwise() {
    let a = json!({"a": {"type": "string"}});
    let closed = (vec!["a?: string".to_owned()], false);
    assert_eq!(fields(&json!({"type": "object", "properties": a})), closed);
    assert_eq!(fields(&json!({"properties": a})), closed);
    assert_eq!(
        fields(&json!({"type": "object", "properties": a, "additionalProperties": false})),
        closed
    );
    for open in [
        json!({"properties": a, "additionalProperties": true}),
        json!({"properties": a, "additionalProperties": {"type": "string"}}),
        json!({"properties": a, "patternProperties": {"^x": {}}}),
        json!({"properties": a, "if": {}, "then": {"properties": {"b": {}}}}),
    ] {
        assert!(fields(&open).1, "{open}");
    }
}

#[test]
fn schemas_are_put_together() {
    assert_eq!(
        fields(
            &json!({"properties": {"a": {"type": "string"}}, "required": ["a"],
            "allOf": [{"properties": {"b": {"type": "integer"}}}]})
        ),
        (vec!["a: string".to_owned(), "b?: int".to_owned()], false)
    );
    assert_eq!(
        fields(&json!({"$defs": {"x": {"properties": {"a": {"type": "boolean"}}}}, "$ref": "#/$defs/x"})).0,
        ["a?: bool"]
    );
    // A choice between requirements leaves the fields as they are.
    assert_eq!(
        fields(
            &json!({"type": "object", "properties": {"a": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]})
        ),
        (vec!["a?: any value".to_owned()], false)
    );
    let recursive = json!({"$defs": {"t": {"properties": {"l": {"$ref": "#/$defs/t"}, "r": {"$ref": "#/$defs/t"}}}}, "$ref": "#/$defs/t"});
    assert_eq!(fields(&recursive).0.len(), 2);
    assert_eq!(type_of(&json!({"$ref": "#"})), "any value");
}

#[test]
fn what_can_satisfy_a_schema() {
    let object = |required: bool, type_: Type| {
        Type::Object(std::sync::Arc::new(super::super::Object {
            fields: vec![super::super::Field {
                name: "a".into(),
                type_,
                required,
            }],
            rest: None,
            written: false,
        }))
    };
    for (type_, schema, expected) in [
        (Type::Dyn, json!({"type": "string"}), true),
        (Type::String, json!({"type": "string"}), true),
        (Type::String, json!({"type": "number"}), false),
        (
            Type::Timestamp,
            json!({"type": "string", "format": "date-time"}),
            true,
        ),
        (Type::Int, json!({"type": "number"}), true),
        (Type::Number, json!({"type": "integer"}), true),
        (Type::Double, json!({"type": "integer"}), true),
        (Type::Bool, json!({"type": ["string", "boolean"]}), true),
        (Type::Null, json!({"type": "string"}), false),
        (Type::Kind, json!({}), false),
        (
            Type::any_of([Type::Null, Type::String]),
            json!({"type": "string"}),
            true,
        ),
        (Type::optional(Type::String), json!({"type": "integer"}), false),
        (Type::String, json!({"enum": [1, 2]}), false),
        (Type::String, json!({"enum": [1, "a"]}), true),
        (Type::String, json!({"const": true}), false),
        (
            Type::String,
            json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
            true,
        ),
        (Type::String, json!({"oneOf": [{"type": "integer"}]}), false),
        (
            Type::String,
            json!({"allOf": [{"type": "string"}, {"type": "integer"}]}),
            false,
        ),
        (
            Type::String,
            json!({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}),
            false,
        ),
        (
            Type::list(Type::String),
            json!({"type": "array", "items": {"type": "integer"}}),
            false,
        ),
        (
            Type::list(Type::Dyn),
            json!({"type": "array", "items": {"type": "integer"}}),
            true,
        ),
        (
            Type::map(Type::String),
            json!({"type": "object", "required": ["a"]}),
            true,
        ),
        (
            Type::map(Type::String),
            json!({"type": "object", "additionalProperties": {"type": "integer"}}),
            false,
        ),
        (object(true, Type::String), json!({"required": ["b"]}), false),
        (object(true, Type::String), json!({"required": ["a"]}), true),
        (object(false, Type::String), json!({"required": ["a"]}), true),
        (
            object(true, Type::String),
            json!({"properties": {"a": {"type": "integer"}}}),
            false,
        ),
        (
            object(false, Type::String),
            json!({"properties": {"a": {"type": "integer"}}}),
            true,
        ),
        (
            object(true, Type::String),
            json!({"properties": {"b": {}}, "additionalProperties": false}),
            false,
        ),
        (
            object(true, Type::String),
            json!({"patternProperties": {"a": {}}, "additionalProperties": false}),
            true,
        ),
        (object(true, Type::String), json!(false), false),
    ] {
        assert_eq!(may_satisfy(&type_, &schema), expected, "{type_} for {schema}");
    }
}
