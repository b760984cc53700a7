//! Backs up the saved tracks to a file with one JSON object per line, and restores them. A backup
//! or a restore that was interrupted continues at the next run.
//!
//! `cargo run -p spot-sdk --example library_backup`
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

mod support;

use std::{
    error::Error,
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::Path,
};

use spot::{Client, auth::Scope, model::SavedTrack};
use spot_mock::Mode;

use crate::support::Start;

/// Appends up to `most` saved tracks that the file does not contain yet.
async fn back_up(client: &Client, file: &Path, most: usize) -> Result<usize, Box<dyn Error>> {
    let done = if file.exists() { read(file)?.len() } else { 0 };
    let mut out = OpenOptions::new().create(true).append(true).open(file)?;
    let mut saved = client.library().tracks().offset(u32::try_from(done)?).stream();
    let mut count = 0;
    while count < most
        && let Some(entry) = saved.try_next().await?
    {
        serde_json::to_writer(&mut out, &entry)?;
        out.write_all(b"\n")?;
        count += 1;
    }
    Ok(count)
}

fn read(file: &Path) -> Result<Vec<SavedTrack>, Box<dyn Error>> {
    let lines = BufReader::new(File::open(file)?).lines();
    lines.map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

/// Saves the tracks of the file that are not in the library, the oldest first.
async fn restore(client: &Client, file: &Path) -> Result<usize, Box<dyn Error>> {
    let backup = read(file)?;
    let saved = client.library().contains(&backup).await?;
    let missing: Vec<_> = backup.iter().zip(saved).filter(|(_, saved)| !saved).collect();
    let missing: Vec<_> = missing.into_iter().rev().map(|(entry, _)| entry).collect();
    if let Err(error) = client.library().save(missing.iter().copied()).await {
        // The next run finds the tracks that were saved before the failure.
        println!("stopped after {} of {}", error.done().unwrap_or(0), missing.len());
        return Err(error.into());
    }
    Ok(missing.len())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let scopes = [Scope::UserLibraryRead, Scope::UserLibraryModify];
    let Start { client, mock } = support::start(Mode::Development, scopes).await?;
    let file = std::env::temp_dir().join(format!("library-backup-{}.jsonl", std::process::id()));
    println!("{} tracks before an interruption", back_up(&client, &file, 120).await?);
    println!("{} more after it", back_up(&client, &file, usize::MAX).await?);
    if mock.is_some() {
        // Only the library of a `spot-mock` is emptied, never a real one.
        client.library().remove(&read(&file)?).await?;
    }
    println!("{} tracks restored", restore(&client, &file).await?);
    println!("{} tracks restored by a second run", restore(&client, &file).await?);
    fs::remove_file(&file)?;
    Ok(())
}
