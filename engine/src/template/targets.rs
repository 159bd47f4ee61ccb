//! What the texts of an action are for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Target;

/// The fields of an action that are for something else than plain text. A path is field names with dots between
/// (`body.html`); elements of lists are passed through, so that `parts.text` means the `text` of every part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Targets(BTreeMap<String, Target>);

impl Targets {
    /// Whether all fields are plain text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the field at a JSON pointer is for.
    #[must_use]
    pub fn at(&self, pointer: &str) -> Target {
        if self.is_empty() {
            return Target::Text;
        }
        let is_index = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let parts = pointer.split('/').skip(1).filter(|part| !is_index(part));
        let names: Vec<String> = parts
            .map(|part| part.replace("~1", "/").replace("~0", "~"))
            .collect();
        self.0.get(&names.join(".")).copied().unwrap_or_default()
    }
}

impl<Path: Into<String>> FromIterator<(Path, Target)> for Targets {
    fn from_iter<I: IntoIterator<Item = (Path, Target)>>(fields: I) -> Self {
        Self(
            fields
                .into_iter()
                .map(|(path, target)| (path.into(), target))
                .collect(),
        )
    }
}
