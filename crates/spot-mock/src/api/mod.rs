//! The Web API: the table of operations, what is checked before them, and what each does.

pub(crate) mod call;
pub(crate) mod gate;
mod handlers;
pub(crate) mod operation;
pub(crate) mod table;
