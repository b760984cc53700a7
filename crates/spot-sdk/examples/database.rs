//! Stores saved tracks and the user's session in a SQLite database, with sqlx.
//!
//! `cargo run -p spot-sdk --example database`
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

#[path = "support/sessions.rs"]
mod sessions;

use std::error::Error;

use spot::{
    Client,
    auth::{App, Scope, TokenRecord},
    model::{SavedTrack, from_slice},
};
use spot_mock::MockSpotify;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use crate::sessions::sessions;

const SCOPES: [Scope; 1] = [Scope::UserLibraryRead];

/// Writes the saved tracks that the table lacks, and returns their number. The columns contain the
/// fields for queries; the JSON contains the whole object.
async fn store_tracks(client: &Client, database: &SqlitePool) -> Result<usize, Box<dyn Error>> {
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS saved_track (
            id TEXT PRIMARY KEY, added_at TEXT, name TEXT NOT NULL, json TEXT NOT NULL)",
    )
    .execute(database)
    .await?;
    let mut new = 0;
    let mut pages = client.library().tracks().stream().pages();
    while let Some(page) = pages.try_next().await? {
        // One transaction for each page is much faster than one for each row.
        let mut transaction = database.begin().await?;
        for saved in &page.items {
            // Local files have no id.
            let Some(id) = saved.track.id else { continue };
            let done = sqlx::query("INSERT OR IGNORE INTO saved_track VALUES (?1, ?2, ?3, ?4)")
                .bind(id.to_string())
                .bind(saved.added_at.map(|time| time.to_rfc3339()))
                .bind(&saved.track.name)
                .bind(serde_json::to_string(saved)?)
                .execute(&mut *transaction)
                .await?;
            new += usize::try_from(done.rows_affected())?;
        }
        transaction.commit().await?;
    }
    Ok(new)
}

/// Finds the longest saved track with a query on the column `json`, and decodes this track.
async fn longest_track(database: &SqlitePool) -> Result<SavedTrack, Box<dyn Error>> {
    let json: String = sqlx::query_scalar(
        "SELECT json FROM saved_track ORDER BY json ->> '$.track.duration_ms' DESC LIMIT 1",
    )
    .fetch_one(database)
    .await?;
    Ok(from_slice(json.as_bytes())?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mock = MockSpotify::start().await?;
    let directory = tempfile::tempdir()?;
    let file = SqliteConnectOptions::new()
        .filename(directory.path().join("app.db"))
        .create_if_missing(true);
    let database = SqlitePoolOptions::new().connect_with(file).await?;

    // First run: a user has signed in, and this program has the refresh token.
    let app = App::builder(mock.client_id())
        .secret(mock.client_secret().to_owned())
        .accounts_url(mock.accounts_url())
        .build()?;
    let record = TokenRecord::from_refresh_token(mock.refresh_token(&["user-library-read"]));
    let store = sessions(&database).await?;
    app.session(record.with_granted_scopes(SCOPES)).keep_in(store.clone(), "ada").await?;

    // Later, in another run of the program.
    let session = app.stored_session(store, "ada", SCOPES).await?.ok_or("sign in first")?;
    let client = Client::builder(session.clone()).base_url(mock.api_url()).build()?;
    println!("{} new tracks", store_tracks(&client, &database).await?);
    println!("{} new tracks the second time", store_tracks(&client, &database).await?);
    let longest = longest_track(&database).await?;
    println!("the longest is {} with {} s", longest.track.name, longest.track.duration.as_secs());
    session.settled().await?;
    database.close().await;
    Ok(())
}
