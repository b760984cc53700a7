//! Background tasks.

use std::pin::Pin;

/// Work of a task. All tasks have this type, so that the code of tokio for tasks is compiled once
/// and not once per task.
pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;
