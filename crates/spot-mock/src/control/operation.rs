//! Metadata of an operation of the control interface.

use schemars::{Schema, SchemaGenerator};

use crate::control::{Outcome, Request};

/// An operation of the control interface.
pub(super) struct Operation {
    pub(super) method: &'static str,
    /// The path below `/_mock`. The path may end with one parameter.
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) run: fn(&Request<'_>) -> Outcome,
    /// Names and descriptions of the query's parameters.
    pub(super) query: &'static [(&'static str, &'static str)],
    pub(super) body: Option<fn(&mut SchemaGenerator) -> Schema>,
    pub(super) status: u16,
    pub(super) answer: Option<fn(&mut SchemaGenerator) -> Schema>,
}

pub(super) const fn row(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    run: fn(&Request<'_>) -> Outcome,
) -> Operation {
    Operation { method, path, id, summary, run, query: &[], body: None, status: 204, answer: None }
}

impl Operation {
    pub(super) const fn body<T: schemars::JsonSchema>(mut self) -> Self {
        self.body = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    pub(super) const fn answer<T: schemars::JsonSchema>(mut self, status: u16) -> Self {
        self.answer = Some(SchemaGenerator::subschema_for::<T>);
        self.status = status;
        self
    }

    pub(super) const fn query(mut self, query: &'static [(&'static str, &'static str)]) -> Self {
        self.query = query;
        self
    }
}
