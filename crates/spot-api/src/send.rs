//! Sends and awaits the generated requests.

use futures::future::BoxFuture;
use spot_http::{Error, Request};

/// The trait of all requests of this crate, for code that is generic over requests.
///
/// `.await` sends a request. A request implements `IntoFuture`, but not `Future`. Functions such as
/// `join_all` or `spawn` need `request.into_future()`.
pub trait ApiRequest:
    IntoFuture<
        Output = Result<Self::Body, Error>,
        IntoFuture = BoxFuture<'static, Result<Self::Body, Error>>,
    > + Clone
    + Send
    + 'static
{
    /// Type of the value that a successful request returns.
    type Body: Send + 'static;

    /// Returns the requests in order, as plain data, without sending them. A list that is too long
    /// for one request is split into several requests.
    fn into_requests(self) -> Vec<Request>;
}

/// Implements `send` and `.await` for a request that always makes a single call.
macro_rules! single {
    ($request:ident => ()) => {
        $crate::send::single!(@ $request => (), client, request, client.command(request).await);
    };
    ($request:ident => optional $body:ty) => {
        $crate::send::single!(@ $request => Option<$body>, client, request, client.fetch_optional(request).await);
    };
    ($request:ident => page $body:ty) => {
        $crate::send::single!(@ $request => $body, client, request, client.fetch_page(request).await);
    };
    ($request:ident => $body:ty, in $field:ident) => {
        $crate::send::single!(@ $request => $body, client, request, {
            #[derive(serde::Deserialize)]
            struct Answer {
                $field: $body,
            }
            Ok(client.fetch::<Answer>(request).await?.map(|answer| answer.$field))
        });
    };
    ($request:ident => $body:ty) => {
        $crate::send::single!(@ $request => $body, client, request, client.fetch(request).await);
    };
    (@ $request:ident => $body:ty, $client:ident, $data:ident, $sent:expr) => {
        impl $request {
            /// Sends the request. Returns the body, the status, the headers and the number of
            /// attempts.
            ///
            /// # Errors
            ///
            /// Any failure of the call. Match on the [kind](crate::Error::kind) of the error.
            pub async fn send(self) -> Result<spot_http::Response<$body>, spot_http::Error> {
                let $client = self.client.clone();
                let $data = self.into_request();
                $sent
            }
        }

        $crate::send::awaitable!($request => $body, request, request.send().await?.into_body());

        impl $crate::send::ApiRequest for $request {
            type Body = $body;

            fn into_requests(self) -> Vec<spot_http::Request> {
                vec![self.into_request()]
            }
        }
    };
}

/// Implements `send` and `.await` for a request that becomes several calls if its list is long.
macro_rules! chunked {
    ($request:ident => ()) => {
        $crate::send::chunked!(@send $request => (), $crate::chunks::commands, request, {
            request.send().await?;
        });
    };
    ($request:ident => concat $entry:ty) => {
        $crate::send::chunked!(@send_all $request => $entry, client, requests, {
            $crate::chunks::reads(&client, requests).await
        });
    };
    ($request:ident => concat $entry:ty, in $field:ident) => {
        $crate::send::chunked!(@send_all $request => $entry, client, requests, {
            #[derive(serde::Deserialize)]
            struct Answer {
                $field: Vec<$entry>,
            }
            let answers = $crate::chunks::reads::<Answer>(&client, requests).await?;
            Ok(answers.into_iter().map(|answer| answer.map(|answer| answer.$field)).collect())
        });
    };
    ($request:ident => singles $entry:ty, in $field:ident) => {
        $crate::send::chunked!(@send_all $request => Option<$entry>, client, requests, {
            #[derive(serde::Deserialize)]
            struct Answer {
                $field: Vec<Option<$entry>>,
            }
            if !client.is_extended() {
                return $crate::chunks::single_reads(&client, requests).await;
            }
            let answers = $crate::chunks::reads::<Answer>(&client, requests).await?;
            Ok(answers.into_iter().map(|answer| answer.map(|answer| answer.$field)).collect())
        });
    };
    ($request:ident => append) => {
        $crate::send::chunked!(@sequence $request => spot_model::SnapshotId, $crate::chunks::changes);
        $crate::send::chunked!(@await $request => Option<spot_model::SnapshotId>, request, {
            $crate::chunks::last(request.send().await?)
        });
    };
    ($request:ident => chain) => {
        $crate::send::chunked!(@await $request => Option<spot_model::SnapshotId>, request, {
            $crate::chunks::last(request.send().await?)
        });
    };
    ($request:ident => replace) => {
        $crate::send::chunked!(@sequence $request => spot_model::SnapshotId, $crate::chunks::changes);
        $crate::send::chunked!(@await $request => spot_model::SnapshotId, request, {
            $crate::chunks::replaced(request.send().await?)?
        });
    };
    (@send $request:ident => $body:ty, $send:path, $this:ident, $joined:expr) => {
        $crate::send::chunked!(@sequence $request => $body, $send);
        $crate::send::chunked!(@await $request => $body, $this, $joined);
    };
    (@sequence $request:ident => $part:ty, $send:path) => {
        impl $request {
            /// Sends the requests one after another. Returns the responses in the order of the
            /// requests.
            ///
            /// # Errors
            ///
            /// Any failure of a call. [`Error::done`](crate::Error::done) returns the number of
            /// entries that were processed before the failure.
            pub async fn send(self) -> Result<Vec<spot_http::Response<$part>>, spot_http::Error> {
                let client = self.client.clone();
                $send(&client, self.into_requests(), Self::CHUNK).await
            }
        }
    };
    (@send_all $request:ident => $entry:ty, $client:ident, $requests:ident, $sent:expr) => {
        impl $request {
            /// Sends the requests in parallel. Returns the responses in the order of the list. If
            /// the list is empty, no request is sent.
            ///
            /// # Errors
            ///
            /// Fails if a request fails. If several requests fail, the method returns the error of
            /// the first of these requests, in the order of the list. Match on the
            /// [kind](crate::Error::kind) of the error.
            pub async fn send(
                self,
            ) -> Result<Vec<spot_http::Response<Vec<$entry>>>, spot_http::Error> {
                let $client = self.client.clone();
                let $requests = self.into_requests();
                $sent
            }
        }

        $crate::send::chunked!(@await $request => Vec<$entry>, request, $crate::chunks::joined(request.send().await?));
    };
    (@await $request:ident => $body:ty, $this:ident, $joined:expr) => {
        $crate::send::awaitable!($request => $body, $this, $joined);

        impl $crate::send::ApiRequest for $request {
            type Body = $body;

            fn into_requests(self) -> Vec<spot_http::Request> {
                self.into_requests()
            }
        }
    };
}

/// Makes a request awaitable.
macro_rules! awaitable {
    ($request:ident => $body:ty, $this:ident, $joined:expr) => {
        impl IntoFuture for $request {
            type Output = Result<$body, spot_http::Error>;
            type IntoFuture = futures::future::BoxFuture<'static, Self::Output>;

            // The method is inline, so that a program compiles only the calls that it makes.
            // Without `inline`, the code of all calls would take most of this crate's build time.
            #[inline]
            fn into_future(self) -> Self::IntoFuture {
                let $this = self;
                Box::pin(async move { Ok($joined) })
            }
        }
    };
}

pub(crate) use {awaitable, chunked, single};
