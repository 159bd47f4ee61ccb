//! What can be known of a template before there is data.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt};
use minijinja::machinery::{Token, parse, tokenize};
use minijinja::syntax::SyntaxConfig;

use super::environment::{FUNCTIONS, TESTS};
use super::filters::FILTERS;
use super::{SOURCE_LIMIT, TemplateError};
use crate::expression::nearest;

/// How long one `{{ … }}` or `{% … %}` may be. The parser nests one level per operator, and this bounds its stack.
const TAG_TOKENS: usize = 400;
/// How many of them there may be in a template. Chains of `elif` nest as well.
const TAGS: usize = 2_000;
/// How many branches `elif` may add in one template: each is a level for the parser.
const BRANCHES: usize = 100;
/// How deep the syntax tree may be. What walks over it recurses once per level.
const DEPTH: usize = 100;
/// How many lists and maps may be written out: each may hold the one before, and dropping them recurses.
const LITERALS: usize = 500;

/// The names a template reads, each with the place of its first read.
pub(super) type Names = BTreeMap<String, usize>;

pub(super) fn check(source: &str) -> Result<Names, TemplateError> {
    if source.len() > SOURCE_LIMIT {
        let message = format!(
            "the template has {} bytes, {SOURCE_LIMIT} are allowed",
            source.len()
        );
        return Err(TemplateError::limit(message, source, 0));
    }
    tokens(source)?;
    let tree = parse(source, "template", SyntaxConfig::default())
        .map_err(|error| TemplateError::of(&error, source))?;
    let mut walker = Walker {
        source,
        depth: 0,
        literals: 0,
        reads: BTreeMap::new(),
        assigned: BTreeSet::new(),
    };
    walker.statement(&tree)?;
    let Walker {
        mut reads, assigned, ..
    } = walker;
    reads.retain(|name, _| !assigned.contains(name) && !FUNCTIONS.contains(&name.as_str()));
    Ok(reads)
}

/// Bounds what the parser will be given.
fn tokens(source: &str) -> Result<(), TemplateError> {
    let (mut tags, mut length, mut branches) = (0, 0, 0);
    for token in tokenize(source, false, SyntaxConfig::default()) {
        let (token, span) = token.map_err(|error| TemplateError::of(&error, source))?;
        match token {
            Token::VariableStart | Token::BlockStart => (tags, length) = (tags + 1, 0),
            Token::Ident("elif") => branches += 1,
            _ => length += 1,
        }
        let message = if length > TAG_TOKENS {
            format!("this tag has more than {TAG_TOKENS} words and signs: compute it in `data`")
        } else if tags > TAGS {
            format!("the template has more than {TAGS} tags")
        } else if branches > BRANCHES {
            format!("the template has more than {BRANCHES} elif")
        } else {
            continue;
        };
        return Err(TemplateError::limit(message, source, span.start_offset as usize));
    }
    Ok(())
}

struct Walker<'s> {
    source: &'s str,
    depth: usize,
    literals: usize,
    reads: Names,
    assigned: BTreeSet<String>,
}

type Outcome = Result<(), TemplateError>;

impl<'s> Walker<'s> {
    fn error(&self, message: impl Into<String>, place: &Expr<'s>) -> TemplateError {
        TemplateError::new(message, self.source, place.span().start_offset as usize)
    }

    fn unknown(&self, what: &str, name: &str, known: &[&str], place: &Expr<'s>) -> TemplateError {
        // Its span begins with the value; the name is what is wrong.
        let span = place.span();
        let (start, end) = (span.start_offset as usize, span.end_offset as usize);
        let inside = self.source.get(start..end).and_then(|part| part.rfind(name));
        let offset = start + inside.unwrap_or(0);
        TemplateError::new(format!("there is no {what} `{name}`"), self.source, offset)
            .suggesting(nearest(name, known.iter().copied()))
    }

    fn body(&mut self, statements: &[Stmt<'s>]) -> Outcome {
        statements
            .iter()
            .try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Stmt<'s>) -> Outcome {
        match statement {
            Stmt::Template(template) => self.body(&template.children),
            Stmt::EmitExpr(emit) => self.expression(&emit.expr),
            Stmt::EmitRaw(_) | Stmt::Continue(_) | Stmt::Break(_) => Ok(()),
            Stmt::ForLoop(for_loop) => {
                self.assigned.insert("loop".to_owned());
                self.assign(&for_loop.target)?;
                self.expression(&for_loop.iter)?;
                self.optional(for_loop.filter_expr.as_ref())?;
                self.body(&for_loop.body)?;
                self.body(&for_loop.else_body)
            }
            Stmt::IfCond(condition) => {
                self.expression(&condition.expr)?;
                self.body(&condition.true_body)?;
                self.body(&condition.false_body)
            }
            Stmt::WithBlock(block) => {
                for (target, value) in &block.assignments {
                    self.assign(target)?;
                    self.expression(value)?;
                }
                self.body(&block.body)
            }
            Stmt::Set(set) => {
                self.assign(&set.target)?;
                self.expression(&set.expr)
            }
            Stmt::SetBlock(set) => {
                self.assign(&set.target)?;
                self.optional(set.filter.as_ref())?;
                self.body(&set.body)
            }
            Stmt::AutoEscape(block) => {
                self.expression(&block.enabled)?;
                self.body(&block.body)
            }
            Stmt::FilterBlock(block) => {
                self.expression(&block.filter)?;
                self.body(&block.body)
            }
            Stmt::Do(call) => {
                let offset = call.call.span().start_offset as usize;
                let message = "`do` is not there: nothing that a template calls changes anything";
                Err(TemplateError::new(message, self.source, offset))
            }
        }
    }

    /// Names that the template itself gives a value.
    fn assign(&mut self, target: &Expr<'s>) -> Outcome {
        match target {
            Expr::Var(name) => {
                self.assigned.insert(name.id.to_owned());
                Ok(())
            }
            Expr::Tuple(names) => names.items.iter().try_for_each(|name| self.assign(name)),
            Expr::List(names) => names.items.iter().try_for_each(|name| self.assign(name)),
            other => Err(self.error("a value can only be given to a name", other)),
        }
    }

    fn optional(&mut self, expression: Option<&Expr<'s>>) -> Outcome {
        expression.map_or(Ok(()), |expression| self.expression(expression))
    }

    fn expression(&mut self, expression: &Expr<'s>) -> Outcome {
        self.depth += 1;
        if self.depth > DEPTH {
            let message = format!("the template nests deeper than {DEPTH} levels here: compute it in `data`");
            return Err(TemplateError::limit(
                message,
                self.source,
                expression.span().start_offset as usize,
            ));
        }
        let outcome = self.inner(expression);
        self.depth -= 1;
        outcome
    }

    fn inner(&mut self, expression: &Expr<'s>) -> Outcome {
        match expression {
            Expr::Const(_) => Ok(()),
            Expr::Var(name) => {
                let offset = name.span().start_offset as usize;
                self.reads.entry(name.id.to_owned()).or_insert(offset);
                Ok(())
            }
            Expr::Slice(slice) => {
                self.expression(&slice.expr)?;
                self.optional(slice.start.as_ref())?;
                self.optional(slice.stop.as_ref())?;
                self.optional(slice.step.as_ref())
            }
            Expr::UnaryOp(operation) => self.expression(&operation.expr),
            Expr::BinOp(operation) => {
                // What is constant is computed before there is fuel.
                if matches!(operation.op, BinOpKind::Mul)
                    && (is_literal(&operation.left) || is_literal(&operation.right))
                {
                    return Err(self.error("a list cannot be repeated", expression));
                }
                self.expression(&operation.left)?;
                self.expression(&operation.right)
            }
            Expr::Compare(comparison) => {
                if comparison.ops.len() > 1 {
                    return Err(
                        self.error("write `a < b and b < c` instead of `a < b < c`", &comparison.expr)
                    );
                }
                self.expression(&comparison.expr)?;
                comparison
                    .ops
                    .iter()
                    .try_for_each(|operand| self.expression(&operand.expr))
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr)?;
                self.expression(&choice.true_expr)?;
                self.optional(choice.false_expr.as_ref())
            }
            Expr::Filter(filter) => {
                if !FILTERS.iter().any(|known| known.name == filter.name) {
                    let names: Vec<&str> = FILTERS.iter().map(|known| known.name).collect();
                    return Err(self.unknown("filter", filter.name, &names, expression));
                }
                self.optional(filter.expr.as_ref())?;
                self.arguments(&filter.args)
            }
            Expr::Test(test) => {
                if !TESTS.contains(&test.name) {
                    return Err(self.unknown("test", test.name, TESTS, expression));
                }
                self.expression(&test.expr)?;
                self.arguments(&test.args)
            }
            Expr::GetAttr(field) => self.expression(&field.expr),
            Expr::GetItem(item) => {
                self.expression(&item.expr)?;
                self.expression(&item.subscript_expr)
            }
            Expr::Call(call) => {
                self.expression(&call.expr)?;
                self.arguments(&call.args)
            }
            Expr::List(list) => self.literal(&list.items, expression),
            Expr::Tuple(tuple) => self.literal(&tuple.items, expression),
            Expr::Map(map) => {
                if let Some(key) = map.keys.iter().find(|key| !matches!(key, Expr::Const(_))) {
                    return Err(self.error("a key of a map is written out here", key));
                }
                self.literal(&map.values, expression)
            }
        }
    }

    fn literal(&mut self, items: &[Expr<'s>], place: &Expr<'s>) -> Outcome {
        self.literals += 1;
        if self.literals > LITERALS {
            let message = format!("the template writes out more than {LITERALS} lists and maps");
            return Err(TemplateError::limit(
                message,
                self.source,
                place.span().start_offset as usize,
            ));
        }
        items.iter().try_for_each(|item| self.expression(item))
    }

    fn arguments(&mut self, arguments: &[CallArg<'s>]) -> Outcome {
        arguments.iter().try_for_each(|argument| match argument {
            CallArg::Pos(value) | CallArg::Kwarg(_, value) => self.expression(value),
            CallArg::PosSplat(value) | CallArg::KwargSplat(value) => {
                Err(self.error("arguments are written out here, without `*`", value))
            }
        })
    }
}

/// Whether the value is a list or map that the template writes out.
fn is_literal(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::List(_) | Expr::Tuple(_) | Expr::Map(_) => true,
        Expr::BinOp(operation) => is_literal(&operation.left) || is_literal(&operation.right),
        _ => false,
    }
}
