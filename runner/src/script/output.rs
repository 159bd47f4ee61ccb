//! What a script returned, as JSON. What has no form there is an error with its path, not left out.

use std::fmt::Write as _;

use rquickjs::{Array, Ctx, Object, Type, Value as Js};
use serde_json::{Map, Number, Value};

use super::failure::{Cause, ScriptError};

/// How deep an output may nest; readers of JSON stop a little later.
const DEPTH: usize = 100;
/// Whole numbers below fit into 64 bits.
const WHOLE: f64 = 9_223_372_036_854_775_808.0;

/// Reads the value; `limit` is in bytes of JSON.
pub(super) fn read<'js>(ctx: &Ctx<'js>, value: &Js<'js>, limit: usize) -> Result<Value, Cause<'js>> {
    let mut reader = Reader {
        ctx,
        limit,
        bytes: 0,
        path: "the output".to_owned(),
        depth: 0,
        classes: Vec::new(),
    };
    for (class, advice) in [
        ("Map", "is a Map: write Object.fromEntries(x)"),
        ("Set", "is a Set: write [...x]"),
    ] {
        if let Ok(constructor) = ctx.globals().get::<_, Js<'js>>(class)
            && constructor.is_constructor()
        {
            reader.classes.push((constructor, advice));
        }
    }
    Ok(reader.value(value)?.unwrap_or(Value::Null))
}

struct Reader<'r, 'js> {
    ctx: &'r Ctx<'js>,
    limit: usize,
    bytes: usize,
    path: String,
    depth: usize,
    /// Classes whose objects would look empty, and what to do about it.
    classes: Vec<(Js<'js>, &'static str)>,
}

impl<'js> Reader<'_, 'js> {
    /// The value; nothing for undefined.
    fn value(&mut self, value: &Js<'js>) -> Result<Option<Value>, Cause<'js>> {
        self.count(1)?;
        Ok(Some(match value.type_of() {
            Type::Undefined | Type::Uninitialized => return Ok(None),
            Type::Null => Value::Null,
            Type::Bool => Value::Bool(value.as_bool().unwrap_or_default()),
            Type::Int | Type::Float => self.number(value.as_number().unwrap_or(f64::NAN))?,
            Type::String => {
                let text = value
                    .get::<rquickjs::String<'_>>()
                    .map_err(|error| Cause::of(self.ctx, error))?;
                let text = text.to_string().map_err(|_| {
                    self.wrong("is a text with half a character (a surrogate): write .toWellFormed()")
                })?;
                self.count(text.len() + 2)?;
                Value::String(text)
            }
            Type::BigInt => return Err(self.wrong("is a BigInt: write Number(x) or String(x)")),
            Type::Symbol => return Err(self.wrong("is a symbol")),
            Type::Function | Type::Constructor => return Err(self.wrong("is a function")),
            Type::Promise => return Err(self.wrong("is a promise: write `await` before it")),
            _ => return self.container(value),
        }))
    }

    fn number(&self, number: f64) -> Result<Value, Cause<'js>> {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and fits")]
        if number.fract() == 0.0 && number.abs() < WHOLE {
            return Ok(Value::from(number as i64));
        }
        Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| self.wrong(&format!("is {}, which JSON has not", shown(number))))
    }

    fn container(&mut self, value: &Js<'js>) -> Result<Option<Value>, Cause<'js>> {
        self.depth += 1;
        if self.depth > DEPTH {
            self.path.truncate(self.path.floor_char_boundary(60));
            return Err(self.wrong(&format!("… nests deeper than {DEPTH} levels, or holds itself")));
        }
        let result = if let Some(array) = value.as_array() {
            Some(self.array(array)?)
        } else if let Some(object) = value.as_object() {
            self.object(object)?
        } else {
            return Err(self.wrong(&format!("is a {}", value.type_name())));
        };
        self.depth -= 1;
        Ok(result)
    }

    fn array(&mut self, array: &Array<'js>) -> Result<Value, Cause<'js>> {
        let mut items = Vec::new();
        let length = self.path.len();
        let fault = |error| Cause::of(self.ctx, error);
        // Up to 2^32 - 1; the limit of the output ends it long before.
        let count: f64 = array.as_object().get("length").map_err(fault)?;
        let mut index = 0_u32;
        while f64::from(index) < count {
            let item: Js<'js> = array
                .as_object()
                .get(index)
                .map_err(|error| Cause::of(self.ctx, error))?;
            // Writing into a text does not fail.
            let _ = write!(self.path, "[{index}]");
            items.push(self.value(&item)?.unwrap_or(Value::Null));
            self.path.truncate(length);
            self.count(1)?;
            index += 1;
        }
        Ok(Value::Array(items))
    }

    fn object(&mut self, object: &Object<'js>) -> Result<Option<Value>, Cause<'js>> {
        let fault = |error| Cause::of(self.ctx, error);
        if object.as_value().is_error() {
            return Err(self.wrong("is an error: throw it, or give its message"));
        }
        for (constructor, advice) in &self.classes {
            if object.is_instance_of(constructor) {
                return Err(self.wrong(advice));
            }
        }
        let to_json: Js<'js> = object.get("toJSON").map_err(fault)?;
        if let Some(to_json) = to_json.into_function() {
            let text: Js<'js> = to_json
                .call((rquickjs::function::This(object.clone()),))
                .map_err(fault)?;
            return self.value(&text);
        }
        let mut fields = Map::new();
        let length = self.path.len();
        for key in object.keys::<String>() {
            let key = key.map_err(|error| Cause::of(self.ctx, error))?;
            let field: Js<'js> = object
                .get(key.as_str())
                .map_err(|error| Cause::of(self.ctx, error))?;
            self.path.push('.');
            self.path.push_str(&key);
            if let Some(field) = self.value(&field)? {
                self.count(key.len() + 4)?;
                fields.insert(key, field);
            }
            self.path.truncate(length);
        }
        Ok(Some(Value::Object(fields)))
    }

    fn count(&mut self, bytes: usize) -> Result<(), Cause<'js>> {
        self.bytes += bytes;
        if self.bytes > self.limit {
            let message = format!("the output has more than {} bytes", self.limit);
            return Err(Cause::ready(ScriptError::limit(message)));
        }
        Ok(())
    }

    fn wrong(&self, what: &str) -> Cause<'js> {
        Cause::ready(ScriptError::new("InvalidOutput", format!("{} {what}", self.path)))
    }
}

fn shown(number: f64) -> &'static str {
    match (number.is_nan(), number > 0.0) {
        (true, _) => "NaN",
        (_, true) => "Infinity",
        _ => "-Infinity",
    }
}
