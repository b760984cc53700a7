//! Background tasks.

use std::pin::Pin;

/// A boxed future that a task runs. All tasks have this type, so the compiler generates tokio's
/// task code only once.
pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;
