//! Lists that are longer than one request takes.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, de::DeserializeOwned};
use spot_http::{Error, ErrorKind, Request, Response};
use spot_model::{Operation, ParseIdError, SnapshotId};

use crate::client::Client;

/// Number of reads of one list that run at once.
const PARALLEL: usize = 4;

/// The same for reads of a single entry: these are small, and there are many of them.
const PARALLEL_SINGLES: usize = 8;

/// What every change of a playlist answers.
#[derive(Deserialize)]
struct Changed {
    snapshot_id: SnapshotId,
}

/// The list that the caller gave, or what is wrong with an entry of it.
pub(crate) fn parsed<'a, T>(
    operation: &'static Operation,
    name: &str,
    list: &'a Result<Vec<T>, ParseIdError>,
) -> Result<&'a [T], Error> {
    list.as_deref()
        .map_err(|error| Error::bad_request(format!("`{name}`: {error}")).with_operation(operation))
}

/// Splits a list into requests. `request` gets a part and the number of entries before it.
pub(crate) fn requests<T>(
    operation: &'static Operation,
    name: &str,
    list: &Result<Vec<T>, ParseIdError>,
    size: usize,
    request: impl Fn(&[T], usize) -> Request,
) -> Vec<Request> {
    match parsed(operation, name, list) {
        Ok(list) => {
            let parts = list.chunks(size.max(1)).enumerate();
            parts.map(|(at, part)| request(part, at * size)).collect()
        }
        Err(error) => vec![Request::failed(error)],
    }
}

/// Makes a request of each entry.
pub(crate) fn singles<T>(
    operation: &'static Operation,
    name: &str,
    list: &Result<Vec<T>, ParseIdError>,
    request: impl Fn(&T) -> Request,
) -> Vec<Request> {
    match parsed(operation, name, list) {
        Ok(list) => list.iter().map(request).collect(),
        Err(error) => vec![Request::failed(error)],
    }
}

/// Sends commands one after another. An error tells how many entries were done before it.
pub(crate) async fn commands(
    client: &Client,
    requests: Vec<Request>,
    size: usize,
) -> Result<Vec<Response<()>>, Error> {
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        let done = answers.len() * size;
        let sent = client.command(request).await;
        answers.push(sent.map_err(|error| error.with_done(done))?);
    }
    Ok(answers)
}

/// Sends changes of a playlist one after another, as [`commands`] does.
pub(crate) async fn changes(
    client: &Client,
    requests: Vec<Request>,
    size: usize,
) -> Result<Vec<Response<SnapshotId>>, Error> {
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        let done = answers.len() * size;
        answers.push(change(client, request, done).await?);
    }
    Ok(answers)
}

async fn change(
    client: &Client,
    request: Request,
    done: usize,
) -> Result<Response<SnapshotId>, Error> {
    let sent = client.fetch::<Changed>(request).await;
    Ok(sent.map_err(|error| error.with_done(done))?.map(|changed| changed.snapshot_id))
}

/// Sends changes of a playlist one after another. `request` gets a part and the snapshot that the
/// change before it gave.
pub(crate) async fn chain<T>(
    client: &Client,
    operation: &'static Operation,
    name: &str,
    list: &Result<Vec<T>, ParseIdError>,
    size: usize,
    request: impl Fn(&[T], Option<&SnapshotId>) -> Request,
) -> Result<Vec<Response<SnapshotId>>, Error> {
    let list = parsed(operation, name, list)?;
    let mut answers: Vec<Response<SnapshotId>> = Vec::new();
    for part in list.chunks(size.max(1)) {
        let request = request(part, answers.last().map(Response::body));
        answers.push(change(client, request, answers.len() * size).await?);
    }
    Ok(answers)
}

/// Sends reads in parallel. The answers keep the order of the requests.
pub(crate) async fn reads<A: DeserializeOwned + Send + 'static>(
    client: &Client,
    requests: Vec<Request>,
) -> Result<Vec<Response<A>>, Error> {
    let answers = stream::iter(requests).map(|request| client.fetch::<A>(request));
    answers.buffered(PARALLEL).try_collect().await
}

/// Sends reads of a single entry in parallel. An entry that does not exist is `None`, as in the
/// answers of operations that read many.
pub(crate) async fn single_reads<R: DeserializeOwned + Send + 'static>(
    client: &Client,
    requests: Vec<Request>,
) -> Result<Vec<Response<Vec<Option<R>>>>, Error> {
    let answers = stream::iter(requests).map(|request| async move {
        match client.fetch::<R>(request).await {
            Ok(answer) => Ok(answer.map(|entry| vec![Some(entry)])),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(Response::of_error(&error, vec![None]))
            }
            Err(error) => Err(error),
        }
    });
    answers.buffered(PARALLEL_SINGLES).try_collect().await
}

/// The bodies of the answers, one behind the other.
pub(crate) fn joined<T>(answers: Vec<Response<Vec<T>>>) -> Vec<T> {
    answers.into_iter().flat_map(Response::into_body).collect()
}

/// The snapshot after the last change; `None` if nothing was sent.
pub(crate) fn last(answers: Vec<Response<SnapshotId>>) -> Option<SnapshotId> {
    answers.into_iter().last().map(Response::into_body)
}

/// The snapshot after the last change of those that replace all items, of which there is always one.
pub(crate) fn replaced(answers: Vec<Response<SnapshotId>>) -> Result<SnapshotId, Error> {
    last(answers).ok_or_else(|| Error::configuration("no request replaced the items"))
}

/// The position of a part: that of the first part, moved by the entries before it.
pub(crate) fn position(first: Option<u32>, done: usize) -> Option<u32> {
    first.map(|first| first.saturating_add(u32::try_from(done).unwrap_or(u32::MAX)))
}
