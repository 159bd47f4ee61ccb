//! Long texts: Jinja, rendered with an explicit map of data.
//!
//! Purpose: mails and prompts. A template stands for a text anywhere in `with`: `{template: "…", data: {…}}`.
//!
//! Boundary: pure. A template sees its data and nothing else: no clock, no other templates, no macros. What it
//! says is known when it is applied: names, filters and tests that do not exist are problems then.
//!
//! Why not minijinja as it comes: its fuel pays for instructions, not for what an instruction is given. Comparing
//! two lists that hold each other many times over would cost one unit and take hours. So the instructions that
//! look at whole values are turned into calls that pay for their arguments first.
//!
//! ```text
//! source ──► check (syntax tree: names, filters, depth) ──► Template
//! Template + data ──► instructions ──► metered ──► eval (fuel, output limit) ──► text
//! ```

mod check;
mod environment;
mod error;
mod filters;
mod format;
mod meter;
mod program;
mod targets;
mod with;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Map, Value};

pub use error::TemplateError;
pub use targets::Targets;
pub(crate) use with::is_template;
pub use with::{With, without_templates};

/// The longest template: twenty pages of text. A workflow's manifest has 512 KiB for all of them.
pub const SOURCE_LIMIT: usize = 64 * 1024;
/// The longest text that a template makes: as much as a step may give.
pub const OUTPUT_LIMIT: usize = 1024 * 1024;
/// The work one rendering may do: an instruction costs one, so do 64 bytes of text and each value that an operator
/// or a filter looks at. Enough for a thousand lines with ten fields each; some hundredths of a second.
pub const FUEL: u64 = 300_000;

/// What the text of a template is for, and so how values are written into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Values stand as they are.
    #[default]
    Text,
    /// Values are escaped, so that none of them becomes markup.
    Html,
    /// Values are written as JSON, quotes included. The text as a whole is JSON.
    Json,
}

/// A template that is known to be good. Cheap to clone; stored as its source.
#[derive(Clone)]
pub struct Template(Arc<Inner>);

struct Inner {
    source: Box<str>,
    names: check::Names,
}

impl Template {
    /// Reads a template and checks all that can be known without its data.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let names = check::check(source)?;
        Ok(Self(Arc::new(Inner {
            source: Box::from(source),
            names,
        })))
    }

    /// The template as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The names it reads: each must be a key of its data.
    #[must_use]
    pub fn reads(&self) -> BTreeSet<&str> {
        self.0.names.keys().map(String::as_str).collect()
    }

    /// Where a name is first read, in bytes from the start of the source.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.names.get(name).copied()
    }

    /// Renders the template.
    pub fn render(&self, data: &Map<String, Value>, target: Target) -> Result<String, TemplateError> {
        self.render_within(data, target, &mut { FUEL })
    }

    /// Renders the template with what is left of a budget, at most [`FUEL`], and takes what it used from it.
    pub fn render_within(
        &self,
        data: &Map<String, Value>,
        target: Target,
        fuel: &mut u64,
    ) -> Result<String, TemplateError> {
        program::render(self.source(), data, target, fuel)
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for Template {}

impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Template").field(&self.source()).finish()
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.source())
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
