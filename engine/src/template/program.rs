//! One rendering: instructions that pay for their arguments, and what comes of them.

use minijinja::machinery::{CodeGenerator, Instruction, Instructions, eval, make_string_output, parse};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Error, Value as Data};
use serde_json::{Map, Value};

use super::filters::FILTERS;
use super::{FUEL, OUTPUT_LIMIT, Target, TemplateError, environment};

pub(super) fn render(
    source: &str,
    data: &Map<String, Value>,
    target: Target,
    fuel: &mut u64,
) -> Result<String, TemplateError> {
    let fault = |error: &Error| TemplateError::of(error, source);
    let granted = (*fuel).min(FUEL);
    let env = environment::with_fuel(granted);
    let tree = parse(source, "template", SyntaxConfig::default()).map_err(|error| fault(&error))?;
    let mut generator = CodeGenerator::new("template", source);
    generator.compile_stmt(&tree);
    let (mut instructions, blocks) = generator.finish();
    meter(&mut instructions);
    let escape = match target {
        Target::Text => AutoEscape::None,
        Target::Html => AutoEscape::Html,
        Target::Json => AutoEscape::Json,
    };
    let mut text = String::new();
    let used = {
        let mut output = make_string_output(&mut text);
        let root = Data::from(Serde(data));
        let (_, state) =
            eval(&env, &instructions, root, &blocks, &mut output, escape).map_err(|error| fault(&error))?;
        state.fuel_levels().map_or(granted, |(used, _)| used)
    };
    *fuel -= used.min(granted);
    if text.len() > OUTPUT_LIMIT {
        let message = format!("the text has {} bytes, {OUTPUT_LIMIT} are allowed", text.len());
        return Err(TemplateError::limit(message, source, 0));
    }
    if target == Target::Json
        && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&text)
    {
        let message = format!("the text is not JSON: {error} of the text");
        return Err(TemplateError::new(message, source, 0));
    }
    Ok(text)
}

/// Turns what looks at whole values into calls that pay for them first. One for one, so that jumps stay right.
fn meter(instructions: &mut Instructions<'_>) {
    let mut position = 0;
    while let Some(instruction) = instructions.get_mut(position) {
        let operator = match instruction {
            Instruction::Add => "+",
            Instruction::Mul => "*",
            Instruction::StringConcat => "~",
            Instruction::Eq => "==",
            Instruction::Ne => "!=",
            Instruction::Lt => "<",
            Instruction::Lte => "<=",
            Instruction::Gt => ">",
            Instruction::Gte => ">=",
            Instruction::In => "in",
            _ => "",
        };
        if !operator.is_empty() {
            *instruction = Instruction::CallFunction(operator, Some(2));
        } else if let Instruction::ApplyFilter(name, count, _) = instruction
            && let Some(filter) = FILTERS.iter().find(|filter| filter.name == *name)
        {
            *instruction = Instruction::CallFunction(filter.call, *count);
        }
        position += 1;
    }
}
