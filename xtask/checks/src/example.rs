//! An example of the spec as a call.

use futures::future::BoxFuture;
use spot::{Client, Error, model::Operation};

/// A call that works against spot-mock. The docs of the request show it.
pub(crate) struct Example {
    /// `default`, or the name of a further case.
    pub(crate) case: &'static str,
    pub(crate) operation: &'static Operation,
    pub(crate) call: fn(Client) -> BoxFuture<'static, Result<(), Error>>,
}
