//! How a user's tokens are refreshed, among others who may do the same.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use spot_http::{Error, ErrorKind};
use tokio::time::Instant;

use crate::endpoint::Issued;
use crate::event::SessionEventKind;
use crate::refusal::Class;
use crate::renewal::{Held, Renew};
use crate::store::{SaveOutcome, Stored};
use crate::{App, StoreKey, TokenRecord, TokenStore};

/// A user, as all clones of a session know them.
pub(crate) struct User {
    pub(crate) app: App,
    pub(crate) kept: Mutex<Kept>,
}

/// What is remembered of a user.
pub(crate) struct Kept {
    pub(crate) record: TokenRecord,
    /// The version of the record that the store had when it was last seen.
    version: Option<u64>,
    pub(crate) home: Option<Home>,
    /// The accounts service refused this very refresh token.
    dead: bool,
    /// The store does not have the record, which is to be written again then.
    unwritten: Option<Instant>,
    pub(crate) announced: Option<SystemTime>,
}

/// Where a user is remembered.
#[derive(Clone)]
pub(crate) struct Home {
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) key: StoreKey,
}

/// An access token of somebody else is taken over if it lasts at least this long.
const WORTHWHILE: Duration = Duration::from_secs(60);

/// A store that fails is tried again after this time.
const REST: Duration = Duration::from_secs(30);

impl Kept {
    pub(crate) fn new(record: TokenRecord, version: Option<u64>, home: Option<Home>) -> Self {
        Self { record, version, home, dead: false, unwritten: None, announced: None }
    }

    fn adopt(&mut self, stored: Stored) {
        self.version = Some(stored.version());
        self.dead &= self.record.same_refresh_token(stored.record());
        self.record = stored.into_record();
        self.unwritten = None;
    }
}

#[async_trait]
impl Renew for Arc<User> {
    async fn renew(&self, refused: bool) -> Result<Held, Error> {
        let result = self.refresh(refused).await;
        match &result {
            Ok(_) => self.announce(),
            Err(error) if error.kind() == ErrorKind::ConsentExpired => {}
            Err(error) => self.tell(SessionEventKind::RefreshFailed { error }),
        }
        result
    }
}

impl User {
    /// Holds the store's lock from reading to writing, so that of any number of processes one
    /// refreshes and the others find its tokens.
    async fn refresh(&self, refused: bool) -> Result<Held, Error> {
        let home = self.kept().home.clone();
        let _lock = match &home {
            Some(home) => match home.store.lock(&home.key).await {
                Ok(lock) => Some(lock),
                Err(error) if error.kind() == ErrorKind::Timeout => return Err(error),
                Err(error) => {
                    self.tell(SessionEventKind::StoreFailed { error: &error });
                    None
                }
            },
            None => None,
        };
        if let Some(held) = self.reread(home.as_ref(), refused).await {
            return Ok(held);
        }
        let mut asked_again = false;
        loop {
            let record = {
                let kept = self.kept();
                if kept.dead {
                    return Err(consent_expired());
                }
                kept.record.clone()
            };
            let Some(refresh_token) = record.refresh_token() else {
                return Err(Error::authentication(
                    "the access token has ended, and there is no refresh token: sign in again",
                ));
            };
            match self.app.endpoint().refresh(refresh_token).await {
                Ok(issued) => return self.take(&record, &issued, home.as_ref()).await,
                Err(refusal) if refusal.class == Class::InvalidGrant => {}
                Err(refusal) => return Err(refusal.error),
            }
            // Where locks do nothing, as on some network drives, somebody else may have refreshed
            // and rotated the token meanwhile.
            if let Some(held) = self.reread(home.as_ref(), refused).await {
                return Ok(held);
            }
            let mut kept = self.kept();
            if asked_again || kept.record.same_refresh_token(&record) {
                kept.dead = true;
                drop(kept);
                self.tell(SessionEventKind::ConsentExpired);
                return Err(consent_expired());
            }
            asked_again = true;
        }
    }

    /// Reads the store again, and takes over what somebody else has written there since. Their
    /// access token saves a refresh if it lasts.
    async fn reread(&self, home: Option<&Home>, refused: bool) -> Option<Held> {
        let home = home?;
        let stored = match home.store.load(&home.key).await {
            Ok(stored) => stored?,
            Err(error) => {
                self.tell(SessionEventKind::StoreFailed { error: &error });
                return None;
            }
        };
        let now = self.app.clock().now();
        let held = {
            let mut kept = self.kept();
            if kept.version == Some(stored.version()) {
                return None;
            }
            let known = kept.record.same_access_token(stored.record());
            kept.adopt(stored);
            let held = kept.record.held(now).filter(|held| held.ends.left(now) >= WORTHWHILE);
            held.filter(|_| !(refused && known))
        };
        self.tell(SessionEventKind::Adopted);
        held
    }

    /// Writes what came, and only then lets it be used: an unwritten refresh token that replaced
    /// another one is a lost user, if the program ends.
    async fn take(
        &self,
        before: &TokenRecord,
        issued: &Issued,
        home: Option<&Home>,
    ) -> Result<Held, Error> {
        let held = issued.held()?;
        self.kept().record = before.refreshed(issued);
        if let Some(home) = home {
            self.write(home).await;
        }
        self.tell(SessionEventKind::Refreshed { expires_at: held.ends.wall() });
        Ok(held)
    }

    /// Writes the record. If the store fails, the record is written on a later occasion.
    async fn write(&self, home: &Home) {
        let (record, expected) = {
            let kept = self.kept();
            (kept.record.clone(), kept.version)
        };
        match home.store.save(&home.key, &record, expected).await {
            Ok(SaveOutcome::Saved(version)) => {
                let mut kept = self.kept();
                kept.version = Some(version);
                kept.unwritten = None;
            }
            Ok(SaveOutcome::Conflict) => match home.store.load(&home.key).await {
                Ok(Some(stored)) => {
                    self.kept().adopt(stored);
                    self.tell(SessionEventKind::Adopted);
                }
                // It was taken away: the user signed out elsewhere.
                Ok(None) => {}
                Err(error) => self.unwritten(&error),
            },
            Err(error) => self.unwritten(&error),
        }
    }

    fn unwritten(&self, error: &Error) {
        self.kept().unwritten = Some(Instant::now() + REST);
        self.tell(SessionEventKind::StoreFailed { error });
    }

    /// Starts to write a record that could not be written, if it is time.
    pub(crate) fn write_again(self: &Arc<Self>) {
        let home = {
            let mut kept = self.kept();
            let due = kept.unwritten.is_some_and(|at| at <= Instant::now());
            let Some(home) = kept.home.clone().filter(|_| due) else { return };
            kept.unwritten = Some(Instant::now() + REST);
            home
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let user = Arc::clone(self);
        runtime.spawn(async move {
            let lock = home.store.lock(&home.key).await;
            if lock.is_ok() && user.kept().unwritten.is_some() {
                user.write(&home).await;
            }
        });
    }

    /// Moves into a store, in the place of who was there.
    pub(crate) async fn settle(&self, home: Home) -> Result<(), Error> {
        let lock = home.store.lock(&home.key).await;
        let there = home.store.load(&home.key).await;
        let version = there.as_ref().ok().and_then(|stored| stored.as_ref().map(Stored::version));
        let record = {
            let mut kept = self.kept();
            kept.home = Some(home.clone());
            kept.version = version;
            kept.unwritten = Some(Instant::now() + REST);
            kept.record.clone()
        };
        let saved = home.store.save(&home.key, &record, version).await;
        drop(lock);
        let error = match saved {
            Ok(SaveOutcome::Saved(version)) => {
                let mut kept = self.kept();
                kept.version = Some(version);
                kept.unwritten = None;
                return Ok(());
            }
            Ok(SaveOutcome::Conflict) => {
                Error::configuration("somebody else has signed in under the same key")
            }
            Err(error) => error,
        };
        self.tell(SessionEventKind::StoreFailed { error: &error });
        Err(error)
    }

    pub(crate) async fn leave(&self) -> Result<(), Error> {
        let home = self.kept().home.take();
        match home {
            Some(home) => {
                let _lock = home.store.lock(&home.key).await?;
                home.store.remove(&home.key).await
            }
            None => Ok(()),
        }
    }
}

fn consent_expired() -> Error {
    Error::consent_expired(
        "the accounts service refuses the refresh token: six months have passed since the user \
         consented, or the consent was taken back",
    )
    .with_status(400)
    .with_reason("invalid_grant")
}
