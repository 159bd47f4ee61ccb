//! Values of expressions in snapshots: the JSON that they came from.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error as _};
use serde_json::Value as Json;

use crate::expression::Value;

fn json<S: Serializer>(value: &Value) -> Result<Json, S::Error> {
    value.to_json().map_err(S::Error::custom)
}

/// A value.
pub(super) mod value {
    use super::{Deserialize, Deserializer, Json, Serialize, Serializer, Value, json};

    pub(in crate::run) fn serialize<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
        json::<S>(value)?.serialize(serializer)
    }

    pub(in crate::run) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        Ok(Value::from_json(&Json::deserialize(deserializer)?))
    }
}

/// A value that may be absent; null is there.
pub(super) mod optional {
    use super::{Deserialize, Deserializer, Json, Serialize, Serializer, Value, json};

    #[expect(clippy::ref_option, reason = "serde asks so")]
    pub(in crate::run) fn serialize<S: Serializer>(
        value: &Option<Value>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let list: Vec<Json> = value.iter().map(json::<S>).collect::<Result<_, _>>()?;
        list.serialize(serializer)
    }

    pub(in crate::run) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Value>, D::Error> {
        let list = Vec::<Json>::deserialize(deserializer)?;
        Ok(list.first().map(Value::from_json))
    }
}

/// A list of values that several share.
pub(super) mod list {
    use std::sync::Arc;

    use super::{Deserialize, Deserializer, Json, Serialize, Serializer, Value, json};

    pub(in crate::run) fn serialize<S: Serializer>(
        values: &Arc<Vec<Value>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let list: Vec<Json> = values.iter().map(json::<S>).collect::<Result<_, _>>()?;
        list.serialize(serializer)
    }

    pub(in crate::run) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<Vec<Value>>, D::Error> {
        let list = Vec::<Json>::deserialize(deserializer)?;
        Ok(Arc::new(list.iter().map(Value::from_json).collect()))
    }
}
