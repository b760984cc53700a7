//! Saves a session's record to a store, or removes the record from the store.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use spot_http::Error;
use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

use crate::{
    session::{
        event::SessionEventKind,
        state::{SAVE_LIMIT, StoreLocation, Unsaved},
        user::User,
    },
    store::{SaveOutcome, Stored},
    user_code::Work,
};

/// Wait before the first retry of saving a record. The wait doubles with each attempt.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// Longest wait between two attempts to save a record.
const MAX_RETRY: Duration = Duration::from_secs(60);

/// If saving the record failed, the next use of the session after this time starts a retry. The
/// background task that retries may have stopped.
const RETRY_ON_USE: Duration = Duration::from_secs(30);

impl User {
    /// Writes the record. If the store fails, a task retries until it succeeds.
    pub(crate) async fn write(self: &Arc<Self>, location: &StoreLocation) {
        let expected = self.state().version;
        let mut saved = self.save(location, expected).await;
        if matches!(saved, Ok(SaveOutcome::Conflict)) {
            match location.load().await {
                Ok(Some(stored)) if self.state().overwrite => {
                    saved = self.save(location, Some(stored.version())).await;
                }
                // An earlier attempt timed out, but saved the record.
                Ok(Some(stored)) if self.is_the_record(&stored) => {
                    self.state().saved(stored.version());
                    return;
                }
                // The version in the store has not changed, so no other process has saved newer
                // tokens. The session does not adopt the stored tokens.
                Ok(Some(stored)) if Some(stored.version()) == expected => {}
                Ok(Some(stored)) => {
                    self.state().adopt(stored);
                    self.notify(SessionEventKind::Adopted);
                    return;
                }
                // A broken file was renamed, so the key has no record now.
                Ok(None) if self.state().may_recreate() => saved = self.save(location, None).await,
                // The user has signed out elsewhere.
                Ok(None) => {
                    self.state().unsaved = None;
                    return;
                }
                Err(error) => saved = Err(error),
            }
        }
        match saved {
            Ok(SaveOutcome::Saved(_)) => {}
            Ok(SaveOutcome::Conflict) => {
                self.could_not_save(Error::store(
                    "`save` of the token store reported a conflict, but the record has the \
                     expected version",
                ));
            }
            Err(error) => self.could_not_save(error),
        }
    }

    fn is_the_record(&self, stored: &Stored) -> bool {
        let state = self.state();
        state.record.same_refresh_token(stored.record())
            && (stored.record().access_token().is_none()
                || state.record.same_access_token(stored.record()))
    }

    async fn save(
        &self,
        location: &StoreLocation,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        let record = self.state().record.clone();
        let saved = location.save(record, expected).await?;
        if let SaveOutcome::Saved(version) = saved {
            self.state().saved(version);
        }
        Ok(saved)
    }

    fn could_not_save(self: &Arc<Self>, error: Error) {
        self.notify(SessionEventKind::StoreFailed { error: &error });
        let due = Instant::now() + RETRY_ON_USE;
        let start = {
            let mut state = self.state();
            state.unsaved = Some(Unsaved { error, due });
            !std::mem::replace(&mut state.saving, true)
        };
        if start {
            self.save_in_background();
        }
    }

    /// Retries saving the record until it succeeds or the session is dropped.
    fn save_in_background(self: &Arc<Self>) {
        let saving = Saving(Arc::downgrade(self));
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn::<Work>(Box::pin(async move {
            let mut wait = FIRST_RETRY;
            loop {
                sleep(wait).await;
                let Some(user) = saving.0.upgrade() else { return };
                if user.save_now().await.is_ok() {
                    return;
                }
                wait = (wait * 2).min(MAX_RETRY);
            }
        }));
    }

    /// Saves the record if it is not saved yet.
    ///
    /// # Errors
    ///
    /// The failure of the store.
    pub(crate) async fn save_now(self: &Arc<Self>) -> Result<(), Error> {
        if self.state().unsaved.is_some() {
            let turn = self.exclusive.enter().await;
            turn.run(async {
                let location = {
                    let state = self.state();
                    state.location.clone().filter(|_| state.unsaved.is_some())
                };
                if let Some(location) = location {
                    // The record is saved even if the lock is unavailable.
                    if let Ok(lock) = location.lock(SAVE_LIMIT).await {
                        turn.hold(lock);
                    }
                    self.write(&location).await;
                }
            })
            .await;
        }
        match &self.state().unsaved {
            None => Ok(()),
            Some(unsaved) => Err(unsaved.error.clone()),
        }
    }

    /// Starts saving the record if a retry is due. The background task may have stalled, or may
    /// have ended with its runtime.
    pub(crate) fn save_if_due(self: &Arc<Self>) {
        let now = Instant::now();
        {
            let mut state = self.state();
            match &mut state.unsaved {
                Some(unsaved) if unsaved.due <= now => unsaved.due = now + RETRY_ON_USE,
                _ => return,
            }
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let user = Arc::clone(self);
        // A failure is reported to the observer.
        runtime.spawn::<Work>(Box::pin(async move { _ = user.save_now().await }));
    }

    /// Moves the session into a store, and replaces the store's record.
    ///
    /// # Errors
    ///
    /// The error from saving the record. After this error, a background task retries until the
    /// record is saved.
    pub(crate) async fn move_to_store(
        self: &Arc<Self>,
        location: StoreLocation,
    ) -> Result<(), Error> {
        let turn = self.exclusive.enter().await;
        turn.run(async {
            if let Ok(lock) = location.lock(SAVE_LIMIT).await {
                turn.hold(lock);
            }
            let there = location.load().await;
            {
                let mut state = self.state();
                state.location = Some(location.clone());
                state.to_remove = None;
                state.version = there.ok().flatten().map(|stored| stored.version());
                state.overwrite = true;
            }
            self.write(&location).await;
        })
        .await;
        match &self.state().unsaved {
            None => Ok(()),
            Some(unsaved) => Err(unsaved.error.clone()),
        }
    }

    /// Removes the record of the session from the store. Afterwards the session is not stored.
    ///
    /// # Errors
    ///
    /// The error from removing the record.
    pub(crate) async fn remove_from_store(&self) -> Result<(), Error> {
        let turn = self.exclusive.enter().await;
        let location = {
            let mut state = self.state();
            state.unsaved = None;
            // After a failure, the next sign-out tries again.
            if let Some(location) = state.location.take() {
                state.to_remove = Some(location);
            }
            state.to_remove.clone()
        };
        let Some(location) = location else { return Ok(()) };
        turn.run(async {
            // Signing out continues even without the lock.
            if let Ok(lock) = location.lock(SAVE_LIMIT).await {
                turn.hold(lock);
            }
            location.remove().await?;
            self.state().to_remove = None;
            Ok(())
        })
        .await
    }
}

/// Exists while a task retries saving the record. Dropping this value clears the flag `saving`.
struct Saving(Weak<User>);

impl Drop for Saving {
    fn drop(&mut self) {
        if let Some(user) = self.0.upgrade() {
            user.state().saving = false;
        }
    }
}
