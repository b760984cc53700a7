//! Stores sessions in a SQLite table, with one row for each session.

use spot::auth::{CallbackStore, ExposeSecret, StoreKey, TokenRecord};
use sqlx::SqlitePool;

/// Creates the table if it is missing, and returns the store.
pub(crate) async fn sessions(database: &SqlitePool) -> Result<CallbackStore, sqlx::Error> {
    sqlx::query("CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, record TEXT NOT NULL)")
        .execute(database)
        .await?;
    let (load, save, remove) = (database.clone(), database.clone(), database.clone());
    Ok(CallbackStore::new(
        move |key: StoreKey| {
            let database = load.clone();
            async move {
                let row: Option<String> =
                    sqlx::query_scalar("SELECT record FROM session WHERE id = ?1")
                        .bind(key.to_string())
                        .fetch_optional(&database)
                        .await?;
                Ok(row.map(|json| TokenRecord::from_json(&json)).transpose()?)
            }
        },
        move |key: StoreKey, record: TokenRecord| {
            let database = save.clone();
            async move {
                let json = record.to_json();
                sqlx::query("INSERT OR REPLACE INTO session (id, record) VALUES (?1, ?2)")
                    .bind(key.to_string())
                    .bind(json.expose_secret())
                    .execute(&database)
                    .await?;
                Ok(())
            }
        },
        move |key: StoreKey| {
            let database = remove.clone();
            async move {
                sqlx::query("DELETE FROM session WHERE id = ?1")
                    .bind(key.to_string())
                    .execute(&database)
                    .await?;
                Ok(())
            }
        },
    ))
}
