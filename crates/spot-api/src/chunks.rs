//! Lists that need more than one request.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, de::DeserializeOwned};
use spot_http::{Error, ErrorKind, Request, Response};
use spot_model::{Operation, ParseIdError, SnapshotId};

use crate::client::Client;

/// Maximum number of parallel requests for one list.
const PARALLEL: usize = 4;

/// Maximum number of parallel requests for one list, if each request reads only one entry.
const PARALLEL_SINGLES: usize = 8;

/// The response to every change of a playlist.
#[derive(Deserialize)]
struct Changed {
    snapshot_id: SnapshotId,
}

/// Returns the caller's list, or an error if an entry could not be parsed.
pub(crate) fn parsed<'a, T>(
    operation: &'static Operation,
    name: &str,
    list: &'a Result<Vec<T>, ParseIdError>,
) -> Result<&'a [T], Error> {
    list.as_deref()
        .map_err(|error| Error::bad_request(format!("`{name}`: {error}")).with_operation(operation))
}

/// Splits a list into parts, and creates one request per part. The function `request` gets the
/// part, and the number of entries before this part.
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

/// Creates one request per entry.
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

/// Sends commands one after another. An error contains the number of entries that were processed
/// before the failure.
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

/// Sends changes of a playlist one after another. Errors are the same as for [`commands`].
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

/// Sends changes of a playlist one after another. The function `request` gets a part of the list,
/// and the snapshot that the previous change returned.
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

/// Sends read requests in parallel. The responses are in the order of the requests.
pub(crate) async fn reads<A: DeserializeOwned + Send + 'static>(
    client: &Client,
    requests: Vec<Request>,
) -> Result<Vec<Response<A>>, Error> {
    let answers = stream::iter(requests).map(|request| client.fetch::<A>(request));
    answers.buffered(PARALLEL).try_collect().await
}

/// Sends requests in parallel. Each request reads one entry. If an entry does not exist, its
/// response contains `None`.
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

/// Concatenates the bodies of the responses.
pub(crate) fn joined<T>(answers: Vec<Response<Vec<T>>>) -> Vec<T> {
    answers.into_iter().flat_map(Response::into_body).collect()
}

/// Returns the snapshot after the last change; `None` if nothing was sent.
pub(crate) fn last(answers: Vec<Response<SnapshotId>>) -> Option<SnapshotId> {
    answers.into_iter().last().map(Response::into_body)
}

/// Returns the last snapshot of a call that replaces the items of a playlist. Such a call always
/// sends at least one change, so a missing snapshot is an error.
pub(crate) fn replaced(answers: Vec<Response<SnapshotId>>) -> Result<SnapshotId, Error> {
    let error = || Error::configuration("the items were not replaced: no request was sent");
    last(answers).ok_or_else(error)
}

/// Returns the position in the playlist at which a request adds its part of a list. `first` is the
/// position of the first part, and `done` is the number of entries in the earlier parts.
pub(crate) fn position(first: Option<u32>, done: usize) -> Option<u32> {
    first.map(|first| first.saturating_add(u32::try_from(done).unwrap_or(u32::MAX)))
}
