//! Items and turns.

use flowpilot_engine::journal::IterationEnd;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::starts::add;
use super::{Cause, Oracle, Scope, State, Verdict, check};
use crate::flow::{Gives, Kind, Turns};

impl Oracle<'_> {
    pub(crate) fn opens(
        &mut self,
        path: &str,
        items: Option<&[Value]>,
        carried: Option<&Map<String, Value>>,
        over: bool,
    ) -> Verdict {
        let place = self.place(path)?;
        let runs = self.state(path) == Some(State::Running) && !self.scopes.contains_key(path);
        check(runs, || {
            format!("{path} begins its items twice, or before it starts")
        })?;
        let right = match self.step(place.step).kind {
            Kind::ForEach { items: count, .. } => items.is_some_and(|items| items.len() == count) && !over,
            Kind::Loop { turns, .. } => {
                carried.is_some_and(|carried| carried["n"] == json!(0))
                    && over == matches!(turns, Turns::While(0))
            }
            _ => false,
        };
        check(right, || {
            format!("{path} begins with {items:?}, {carried:?}, over: {over}")
        })?;
        self.scopes.insert(
            path.to_owned(),
            Scope {
                over,
                ..Scope::default()
            },
        );
        Ok(())
    }

    pub(crate) fn item_starts(&mut self, path: &str, at: Timestamp) -> Verdict {
        let (block, index) = split(path)?;
        let place = self.place(block)?;
        let outer = self.scope(block)?;
        check(outer.cause.is_none() && !outer.closed, || {
            format!("{path} starts although its block ends")
        })?;
        check(outer.next == index, || {
            format!("{path} starts when {} is next", outer.next)
        })?;
        match self.step(place.step).kind {
            Kind::ForEach { items, parallel, .. } => {
                check(index < items, || format!("there is no item {path}"))?;
                let most = parallel.unwrap_or(1);
                check(outer.open < most, || {
                    format!("{path} starts beside {} others of at most {most}", outer.open)
                })?;
            }
            Kind::Loop { most, .. } => {
                let may = outer.open == 0 && !outer.over && index < most;
                check(may && outer.pause.is_none_or(|pause| at >= pause), || {
                    format!("the turn {path} should not start")
                })?;
            }
            _ => return Err(format!("{path} is no item")),
        }
        let outer = self.scope_mut(block)?;
        (outer.next, outer.open, outer.pause) = (index + 1, outer.open + 1, None);
        self.scopes.insert(path.to_owned(), Scope::default());
        Ok(())
    }

    pub(crate) fn item_ends(&mut self, path: &str, end: &IterationEnd, at: Timestamp) -> Verdict {
        let (block, index) = split(path)?;
        let place = self.place(block)?;
        let step = self.step(place.step);
        check(self.is_over(path), || format!("{path} ends before its steps"))?;
        let scope = self.scope_mut(path)?;
        check(!scope.closed, || format!("{path} ends twice"))?;
        let undone = scope.completed.is_empty() || !scope.cause.is_some_and(Cause::undoes);
        check(undone && scope.undoing.is_none(), || {
            format!("{path} ends before all in it is taken back")
        })?;
        scope.closed = true;
        let (cause, error, mut completed) = (
            scope.cause,
            scope.error.clone(),
            std::mem::take(&mut scope.completed),
        );
        let collect = matches!(step.kind, Kind::ForEach { collect: true, .. });
        match end {
            IterationEnd::Succeeded {
                result,
                over,
                next_at,
                ..
            } => {
                check(cause.is_none() && error.is_none(), || {
                    format!("{path} succeeds although it ended early")
                })?;
                match step.kind {
                    Kind::ForEach { result: gives, .. } => {
                        let expected = (gives == Gives::Something).then(|| json!(index));
                        check(*result == expected && gives != Gives::Error, || {
                            format!("{path} gives {result:?}")
                        })?;
                    }
                    Kind::Loop { turns, most, delay } => {
                        let is_over = match turns {
                            Turns::While(turns) | Turns::Until(turns) => index + 1 >= turns,
                        };
                        let pause = (delay > 0 && !is_over && index + 1 < most).then(|| add(at, delay));
                        check(*over == is_over && *next_at == pause, || {
                            format!("{path}: over {over}, next {next_at:?}")
                        })?;
                    }
                    _ => {}
                }
                let outer = self.scope_mut(block)?;
                if let Some(result) = result {
                    outer.results.insert(index, result.clone());
                }
                outer.completed.append(&mut completed);
                (outer.over, outer.pause) = (*over, *next_at);
            }
            IterationEnd::Failed { error: why } => {
                let right = cause == Some(Cause::Failing)
                    && error.as_ref() == Some(&(why.code.clone(), why.step.clone()));
                check(right, || {
                    format!("{path} fails with {why:?}, its first error is {error:?}")
                })?;
                let outer = self.scope_mut(block)?;
                if collect {
                    outer.failures.push(index);
                } else {
                    if outer.error.is_none() {
                        outer.error = error;
                    }
                    self.end_scope(block, Cause::Failing, at);
                }
            }
            IterationEnd::Cancelled => {
                check(matches!(cause, Some(Cause::Cancelled { .. })), || {
                    format!("{path} is cancelled: {cause:?}")
                })?;
            }
        }
        let outer = self.scope_mut(block)?;
        outer.open -= 1;
        Ok(())
    }
}

fn split(path: &str) -> Result<(&str, usize), String> {
    let parts = path.strip_suffix(']').and_then(|path| path.rsplit_once('['));
    let (block, index) = parts.ok_or_else(|| format!("{path} is no item"))?;
    Ok((block, index.parse().map_err(|_| format!("{path} is no item"))?))
}
