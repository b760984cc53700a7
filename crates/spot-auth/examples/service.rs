//! A service that calls the API with client credentials. All tasks of the service share one token.
//!
//! The service reads the environment variables `SPOTIFY_CLIENT_ID` and `SPOTIFY_CLIENT_SECRET`.
//! Without `SPOTIFY_CLIENT_ID`, the service uses a mock server. The service advances the clock of
//! the mock server by one hour, so that the token expires and is refreshed.
#![expect(clippy::print_stdout, reason = "a command-line program prints its results")]

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use serde_json::Value;
use spot_auth::App;
use spot_http::{Pipeline, Request};
use spot_mock::MockSpotify;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if std::env::var_os("SPOTIFY_CLIENT_ID").is_none() {
        return demo().await;
    }
    let source = App::from_env()?.client_credentials()?;
    work(&Pipeline::builder(source).build()?).await
}

/// Sends five search requests in parallel.
async fn work(pipeline: &Pipeline) -> Result<(), Box<dyn Error>> {
    let mut questions = JoinSet::new();
    for letter in 'a'..='e' {
        let pipeline = pipeline.clone();
        questions.spawn(async move {
            let search = Request::get(&format!("/search?q={letter}&type=artist&limit=1"));
            let found = pipeline.call_json::<Value>(search).await?.into_body();
            Ok::<_, spot_auth::Error>((letter, found))
        });
    }
    while let Some(answer) = questions.join_next().await {
        let (letter, found) = answer??;
        let name = found.pointer("/artists/items/0/name").and_then(Value::as_str);
        println!("{letter}: {}", name.unwrap_or("nobody"));
    }
    Ok(())
}

pub(crate) async fn demo() -> Result<(), Box<dyn Error>> {
    let mock = MockSpotify::start().await?;
    // The demo advances the program's clock and the mock server's clock by the same time.
    let passed = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&passed);
    let app = App::builder(mock.client_id())
        .secret(mock.client_secret())
        .accounts_url(mock.accounts_url())
        .wall_clock(move || SystemTime::now() + Duration::from_secs(clock.load(Ordering::Relaxed)))
        .build()?;
    let source = app.client_credentials()?;
    let pipeline = Pipeline::builder(source).base_url(mock.api_url()).build()?;
    work(&pipeline).await?;
    println!("An hour later:");
    mock.advance(Duration::from_secs(3_601));
    passed.store(3_601, Ordering::Relaxed);
    work(&pipeline).await?;
    let requests = mock.requests();
    let tokens = requests.iter().filter(|request| request.path == "/api/token").count();
    println!("Ten requests needed {tokens} tokens.");
    if tokens == 2 {
        Ok(())
    } else {
        Err("the demo must request exactly two tokens, one per hour".into())
    }
}
