//! The Web API: the table of operations, the checks of each call, and the handlers.

pub(crate) mod call;
pub(crate) mod gate;
mod handlers;
pub(crate) mod operation;
pub(crate) mod table;
