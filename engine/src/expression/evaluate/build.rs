//! What is put together: lists, maps, and the arguments of functions.

use super::{
    super::{
        ast::{Element, Entry, Node},
        functions::Function,
    },
    Held, Locals, Machine, Outcome, Value, as_key, new_map,
    optionals::present,
};

impl<'a> Machine<'a> {
    pub(super) fn list<'v>(&mut self, elements: &'v [Element], locals: Locals<'v>) -> Outcome<Value>
    where
        'a: 'v,
    {
        self.context.budget.allocate_entries(elements.len())?;
        let mut items = Vec::with_capacity(elements.len());
        for Element { node, optional } in elements {
            let value = self.evaluate(node, locals)?;
            if !optional {
                items.push(value.into_owned());
            } else if let Some(value) = present(&value).map_err(|fault| fault.at(node.span))? {
                items.push(value.clone());
            }
        }
        Ok(Value::from(items))
    }

    pub(super) fn map<'v>(&mut self, entries: &'v [Entry], locals: Locals<'v>) -> Outcome<Value>
    where
        'a: 'v,
    {
        self.context.budget.allocate_entries(entries.len() * 2)?;
        let mut pairs = Vec::with_capacity(entries.len());
        for Entry { key, value, optional } in entries {
            let name = self.evaluate(key, locals)?;
            let name = as_key(&name).map_err(|fault| fault.at(key.span))?;
            let found = self.evaluate(value, locals)?;
            if !optional {
                pairs.push((name, found.into_owned()));
            } else if let Some(found) = present(&found).map_err(|fault| fault.at(value.span))? {
                pairs.push((name, found.clone()));
            }
        }
        new_map(pairs)
    }

    /// Functions get their arguments as a slice: the usual one or two lie on the stack.
    pub(super) fn call<'v>(
        &mut self,
        function: &'v Function,
        arguments: &'v [Node],
        locals: Locals<'v>,
    ) -> Outcome<Value>
    where
        'a: 'v,
    {
        match arguments {
            [] => (function.call)(&mut self.context, &[]),
            [only] => match self.evaluate(only, locals)? {
                Held::Borrowed(value) => (function.call)(&mut self.context, std::slice::from_ref(value)),
                Held::Owned(value) => (function.call)(&mut self.context, &[value]),
            },
            [first, second] => {
                let first = self.evaluate(first, locals)?;
                let values = [first.into_owned(), self.evaluate(second, locals)?.into_owned()];
                (function.call)(&mut self.context, &values)
            }
            many => {
                let values = self.arguments(many, locals)?;
                (function.call)(&mut self.context, &values)
            }
        }
    }

    pub(super) fn arguments<'v>(&mut self, nodes: &'v [Node], locals: Locals<'v>) -> Outcome<Vec<Value>>
    where
        'a: 'v,
    {
        let mut values = Vec::with_capacity(nodes.len());
        for node in nodes {
            values.push(self.evaluate(node, locals)?.into_owned());
        }
        Ok(values)
    }
}
