//! Lists that are longer than one call takes.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::de::DeserializeOwned;
use spot_model::{Operation, ParseIdError};

use crate::{Client, Error, Request};

/// How many reads of one list are under way at once.
const SIDE_BY_SIDE: usize = 4;

/// The list a caller gave, or what was wrong with an entry of it.
pub(crate) fn parsed<T: Clone>(
    operation: &'static Operation,
    name: &str,
    list: &Result<Vec<T>, ParseIdError>,
) -> Result<Vec<T>, Error> {
    list.clone()
        .map_err(|error| Error::bad_request(format!("`{name}`: {error}")).with_operation(operation))
}

/// Sends part after part; a failure says how many entries went before it.
pub(crate) async fn each<T>(
    client: &Client,
    list: &[T],
    size: usize,
    request: impl Fn(&[T]) -> Request,
) -> Result<(), Error> {
    for (at, part) in list.chunks(size.max(1)).enumerate() {
        let sent = client.command(request(part)).await;
        sent.map_err(|error| error.with_done(at * size))?;
    }
    Ok(())
}

/// Reads the parts side by side and puts the answers behind one another.
pub(crate) async fn concat<T, R: DeserializeOwned + Send + 'static>(
    client: &Client,
    list: &[T],
    size: usize,
    request: impl Fn(&[T]) -> Request,
) -> Result<Vec<R>, Error> {
    // Collected first: the futures may not borrow the list, since the caller's future is `Send`
    // whatever the list holds.
    let requests: Vec<Request> = list.chunks(size.max(1)).map(request).collect();
    let answers = stream::iter(requests)
        .map(|request| {
            let client = client.clone();
            async move { client.fetch::<Vec<R>>(request).await }
        })
        .buffered(SIDE_BY_SIDE);
    answers
        .try_fold(Vec::new(), |mut all, answer| async move {
            all.append(&mut answer.into_body());
            Ok(all)
        })
        .await
}

/// Sends part after part, each knowing how many entries and which answer went before it. The last
/// answer is the result; `None` if there was nothing to send.
pub(crate) async fn chain<T, A: DeserializeOwned>(
    client: &Client,
    list: &[T],
    size: usize,
    request: impl Fn(&[T], usize, Option<&A>) -> Request,
) -> Result<Option<A>, Error> {
    let mut last = None;
    for (at, part) in list.chunks(size.max(1)).enumerate() {
        let done = at * size;
        let answer = client.fetch(request(part, done, last.as_ref())).await;
        last = Some(answer.map_err(|error| error.with_done(done))?.into_body());
    }
    Ok(last)
}

/// The position of a part: where the caller wanted the first one, moved by what went before.
pub(crate) fn position(first: Option<u32>, done: usize) -> Option<u32> {
    first.map(|first| first.saturating_add(u32::try_from(done).unwrap_or(u32::MAX)))
}
