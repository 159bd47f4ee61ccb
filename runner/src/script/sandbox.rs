//! One run of a script inside QuickJS.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use rquickjs::context::intrinsic::{
    Date, Eval, Json, MapSet, Promise as Promises, Proxy, RegExp, RegExpCompiler, TypedArrays,
};
use rquickjs::{Context, Ctx, Error, Function, Persistent, Promise, Runtime, Value as Js};
use serde_json::Value;

use super::console::Console;
use super::failure::{Cause, ScriptError, is_lack_of_memory, nothing_comes, out_of_memory};
use super::random::Random;
use super::{Job, Limits, Output, output};

/// What scripts can use. Not there: what would differ from run to run (weak references, the clock of `performance`)
/// and what reaches outside (modules).
type Language = (
    Date,
    Eval,
    RegExpCompiler,
    RegExp,
    Json,
    Proxy,
    MapSet,
    TypedArrays,
    Promises,
);

const PRELUDE: &str = include_str!("prelude.js");
/// Makes a function of a text. It may await, though there is nothing to wait for but other functions.
const FUNCTION: &str = "Object.getPrototypeOf(async function () {}).constructor";

/// Why a running script was interrupted.
#[derive(Clone, Copy)]
enum Interrupt {
    Fuel,
    Time,
    Stopped,
}

/// Runs a script to its end, on this thread. `stopped` is asked now and then whether it is still wanted.
///
/// What a single call of a built-in function does is not interrupted: see [`Scripts`](super::Scripts).
pub fn run(
    job: &Job,
    limits: &Limits,
    stopped: impl FnMut() -> bool + 'static,
) -> Result<Output, ScriptError> {
    let interrupt = Rc::new(Cell::new(None));
    let console = Rc::new(RefCell::new(Console::new(limits)));
    let context = context(limits, guard(limits, Rc::clone(&interrupt), stopped))?;
    let result = call(&context, job, &console).and_then(|promise| finish(&context, &promise, job, limits));
    let logs = console.replace(Console::new(limits)).into_lines();
    match (result, interrupt.get()) {
        (_, Some(Interrupt::Fuel)) => Err(ScriptError {
            logs,
            ..ScriptError::limit("the script computes for longer than it may")
        }),
        (_, Some(Interrupt::Time)) => Err(ScriptError {
            logs,
            ..ScriptError::limit(format!(
                "the script takes longer than {} s",
                limits.time.as_secs_f32()
            ))
        }),
        (_, Some(Interrupt::Stopped)) => {
            Err(ScriptError::new("Cancelled", "the script is not wanted any more"))
        }
        (Ok(value), None) => Ok(Output { value, logs }),
        (Err(error), None) => Err(ScriptError { logs, ..error }),
    }
}

/// Reads a script without running it.
pub fn check(source: &str) -> Result<(), ScriptError> {
    let limits = Limits::default();
    let interrupt = Rc::new(Cell::new(None));
    let context = context(&limits, guard(&limits, interrupt, || false))?;
    context.with(|ctx| {
        let result = function(&ctx, source);
        result.map(drop).map_err(|cause| cause.into_error(&ctx, source))
    })
}

fn context(limits: &Limits, guard: impl FnMut() -> bool + 'static) -> Result<Context, ScriptError> {
    let failed = |error: Error| ScriptError::internal(format!("the script engine did not start: {error}"));
    let runtime = Runtime::new().map_err(failed)?;
    runtime.set_memory_limit(limits.memory);
    runtime.set_max_stack_size(limits.stack);
    runtime.set_interrupt_handler(Some(Box::new(guard)));
    Context::custom::<Language>(&runtime).map_err(failed)
}

/// Asked by QuickJS after every ten thousand jumps, calls, or steps of a regular expression.
fn guard(
    limits: &Limits,
    interrupt: Rc<Cell<Option<Interrupt>>>,
    mut stopped: impl FnMut() -> bool + 'static,
) -> impl FnMut() -> bool + 'static {
    let mut fuel = limits.fuel;
    let deadline = Instant::now() + limits.time;
    move || {
        if interrupt.get().is_none() {
            fuel = fuel.saturating_sub(1);
            let reason = if fuel == 0 {
                Some(Interrupt::Fuel)
            } else if Instant::now() >= deadline {
                Some(Interrupt::Time)
            } else {
                stopped().then_some(Interrupt::Stopped)
            };
            interrupt.set(reason);
        }
        interrupt.get().is_some()
    }
}

/// Calls the script, which gives the promise of its value.
fn call(
    context: &Context,
    job: &Job,
    console: &Rc<RefCell<Console>>,
) -> Result<Persistent<Promise<'static>>, ScriptError> {
    context.with(|ctx| {
        let called = || -> Result<Persistent<Promise<'static>>, Cause<'_>> {
            let fault = |error| Cause::of(&ctx, error);
            prelude(&ctx, job, console).map_err(fault)?;
            let input = job.input.to_string();
            let input = ctx.json_parse(input).map_err(fault)?;
            ctx.globals().set("input", input).map_err(fault)?;
            let promise: Promise<'_> = function(&ctx, &job.source)?.call(()).map_err(fault)?;
            Ok(Persistent::save(&ctx, promise))
        };
        called().map_err(|cause| cause.into_error(&ctx, &job.source))
    })
}

/// Does the jobs that the script left behind (what follows an `await`) until its value is there.
fn finish(
    context: &Context,
    promise: &Persistent<Promise<'static>>,
    job: &Job,
    limits: &Limits,
) -> Result<Value, ScriptError> {
    // A job for which there is no memory is dropped: then nothing brings the value any more. What could not be thrown to
    // anybody is left behind.
    let mut is_out_of_memory = false;
    loop {
        let value = context.with(|ctx| {
            is_out_of_memory |= ctx.has_exception() && is_lack_of_memory(&ctx.catch());
            let value = || -> Result<Option<Value>, Cause<'_>> {
                let fault = |error| Cause::of(&ctx, error);
                let promise = promise.clone().restore(&ctx).map_err(fault)?;
                match promise.result::<Js<'_>>() {
                    None => Ok(None),
                    Some(value) => output::read(&ctx, &value.map_err(fault)?, limits.output).map(Some),
                }
            };
            value().map_err(|cause| cause.into_error(&ctx, &job.source))
        })?;
        if let Some(value) = value {
            return Ok(value);
        }
        // A job that throws has been done, too.
        if !context.runtime().execute_pending_job().unwrap_or(true) {
            return Err(if is_out_of_memory {
                out_of_memory()
            } else {
                nothing_comes()
            });
        }
    }
}

fn prelude(ctx: &Ctx<'_>, job: &Job, console: &Rc<RefCell<Console>>) -> Result<(), Error> {
    let mut random = Random::new(job.seed);
    let random = Function::new(ctx.clone(), rquickjs::function::MutFn::new(move || random.next()))?;
    let console = Rc::clone(console);
    let write = Function::new(ctx.clone(), move |level: String, text: String| {
        console.borrow_mut().write(&level, &text);
    })?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of our times are exact in a double"
    )]
    let now = job.now.as_millisecond() as f64;
    ctx.eval::<Function<'_>, _>(PRELUDE)?.call((now, random, write))
}

fn function<'js>(ctx: &Ctx<'js>, source: &str) -> Result<Function<'js>, Cause<'js>> {
    let constructor: Function<'js> = ctx.eval(FUNCTION).map_err(|error| Cause::of(ctx, error))?;
    constructor.call((source,)).map_err(|error| Cause::of(ctx, error))
}
