//! A crate on top of the SDK, with its own endpoint, transport and token source.
//!
//! `cargo run -p spot-sdk --example sdk_author`
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

use std::{
    error::Error as StdError,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use spot::{
    Client, Error, Items,
    net::{
        CallbackTokens, Event, Observer, ReqwestTransport, Transport, TransportError, async_trait,
    },
};
use spot_mock::MockSpotify;

/// The public API of the example crate: a trait with an endpoint that the SDK lacks.
mod saved_names {
    use serde::Deserialize;
    use spot::{
        Client, Error, Items, Request,
        model::{Method, Operation, Page, Paging, Scope},
    };

    /// The name of the operation appears in errors, events and traces. The paging defines how a
    /// stream requests the pages.
    const GET_NAMES: &Operation = &Operation::custom(Method::Get, "/me/tracks")
        .with_name("get_saved_names")
        .with_scopes(&[Scope::UserLibraryRead])
        .with_paging(Paging::Offset { max: 50, extended_max: 50, last_offset: None });

    #[derive(Clone, Debug, Deserialize)]
    pub(crate) struct Entry {
        pub(crate) track: Named,
    }

    #[derive(Clone, Debug, Deserialize)]
    pub(crate) struct Named {
        pub(crate) name: String,
    }

    pub(crate) trait SavedNames {
        /// The first page of names.
        fn saved_names(&self, limit: u8)
        -> impl Future<Output = Result<Page<Entry>, Error>> + Send;

        /// All names.
        fn all_saved_names(&self) -> Items<Entry>;
    }

    impl SavedNames for Client {
        async fn saved_names(&self, limit: u8) -> Result<Page<Entry>, Error> {
            let request = Request::new(GET_NAMES).query("limit", limit);
            Ok(self.request_json(request).await?.into_body())
        }

        fn all_saved_names(&self) -> Items<Entry> {
            self.stream(Request::new(GET_NAMES))
        }
    }
}

use crate::saved_names::{Entry, SavedNames};

/// A transport that counts the bytes of the responses.
#[derive(Debug)]
struct Counting {
    inner: Arc<dyn Transport>,
    bytes: Arc<AtomicUsize>,
}

#[async_trait]
impl Transport for Counting {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let response = self.inner.send(request).await?;
        self.bytes.fetch_add(response.body().len(), Ordering::Relaxed);
        Ok(response)
    }
}

/// Prints the name of each called operation.
#[derive(Debug)]
struct Print;

impl Observer for Print {
    fn event(&self, event: &Event) {
        if let Event::CallEnded { operation, attempts, error, .. } = event {
            println!("{} took {attempts} attempts, failed: {}", operation.name, error.is_some());
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let mock = MockSpotify::start().await?;
    let text = mock.user_token_all();
    // A token source for a program that gets its tokens from its own server.
    let tokens = CallbackTokens::new(move || {
        let text = text.clone();
        async move { Ok::<_, Error>((text, SystemTime::now() + Duration::from_secs(3600))) }
    });
    let bytes = Arc::new(AtomicUsize::new(0));
    let inner = Arc::new(ReqwestTransport::builder().build()?);
    let client = Client::builder(tokens)
        .base_url(mock.api_url())
        .transport(Counting { inner, bytes: Arc::clone(&bytes) })
        .observer(Print)
        .build()?;
    let page = client.saved_names(3).await?;
    println!("{} of {:?}", page.items.len(), page.total);
    let mut names: Items<Entry> = client.all_saved_names();
    let mut longest = String::new();
    while let Some(entry) = names.try_next().await? {
        if entry.track.name.len() > longest.len() {
            longest = entry.track.name;
        }
    }
    println!("the longest of {:?} names is {longest:?}", names.total());
    // The observer runs on a separate thread. This call waits until the observer has received all
    // events.
    client.pipeline().settled().await;
    println!("{} bytes of responses", bytes.load(Ordering::Relaxed));
    Ok(())
}
