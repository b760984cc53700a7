//! Lists that are longer than one call takes.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::de::DeserializeOwned;
use spot_model::{Operation, ParseIdError};

use crate::{Client, Error, ErrorKind, Request};

/// How many reads of one list are under way at once.
const SIDE_BY_SIDE: usize = 4;

/// The same where each reads one entry only: these are small, and there are many of them.
const ONES_SIDE_BY_SIDE: usize = 8;

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

/// Reads the parts side by side and puts what each answered behind one another.
pub(crate) async fn concat<T, A: DeserializeOwned + Send + 'static, R>(
    client: &Client,
    list: &[T],
    size: usize,
    request: impl Fn(&[T]) -> Request,
    entries: fn(A) -> Vec<R>,
) -> Result<Vec<R>, Error> {
    // Collected first: the futures may not borrow the list, since the caller's future is `Send`
    // whatever the list holds.
    let requests: Vec<Request> = list.chunks(size.max(1)).map(request).collect();
    let answers = stream::iter(requests)
        .map(|request| {
            let client = client.clone();
            async move { client.fetch::<A>(request).await }
        })
        .buffered(SIDE_BY_SIDE);
    answers
        .try_fold(Vec::new(), |mut all, answer| async move {
            all.append(&mut entries(answer.into_body()));
            Ok(all)
        })
        .await
}

/// Reads the entries one by one, side by side and in order. What does not exist is `None`, as it
/// is in the answers to calls that read many.
pub(crate) async fn one_by_one<T, R: DeserializeOwned + Send + 'static>(
    client: &Client,
    list: &[T],
    request: impl Fn(&T) -> Request,
) -> Result<Vec<Option<R>>, Error> {
    let requests: Vec<Request> = list.iter().map(request).collect();
    let answers = stream::iter(requests)
        .map(|request| {
            let client = client.clone();
            async move {
                match client.fetch::<R>(request).await {
                    Ok(answer) => Ok(Some(answer.into_body())),
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(error),
                }
            }
        })
        .buffered(ONES_SIDE_BY_SIDE);
    answers.try_collect().await
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
