//! What is known of a user, and how it is kept up to date among others who do the same.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use spot_http::{Error, ErrorKind};
use tokio::sync::Mutex as Turn;
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
    kept: Mutex<Kept>,
    /// Held by whoever is between reading a record and writing it: refreshing, moving into a store,
    /// leaving it. Other processes are kept out by the store's lock.
    turn: Turn<()>,
}

/// What is remembered of a user.
pub(crate) struct Kept {
    pub(crate) record: TokenRecord,
    /// The version of the record that the store had when it was last seen.
    version: Option<u64>,
    pub(crate) home: Option<Home>,
    /// The accounts service refused this very refresh token.
    dead: bool,
    /// The store did not give the record when it was last asked, so that its absence need not mean
    /// that the user has signed out.
    unreadable: bool,
    /// The user has just moved into the store, which has not taken the record yet: whatever it has
    /// is older.
    settling: bool,
    /// The store does not have the record, which is to be written again then.
    unwritten: Option<Instant>,
    announced: Option<SystemTime>,
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

/// How long before the end of a consent its coming is told.
const NOTICE: Duration = Duration::from_secs(14 * 86_400);

impl Kept {
    pub(crate) fn new(record: TokenRecord, version: Option<u64>, home: Option<Home>) -> Self {
        Self {
            record,
            version,
            home,
            dead: false,
            unreadable: false,
            settling: false,
            unwritten: None,
            announced: None,
        }
    }

    /// Whether a record that is not in the store is to be put there.
    fn may_recreate(&self) -> bool {
        self.unreadable || self.settling
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
    pub(crate) fn new(app: App, kept: Kept) -> Self {
        Self { app, kept: Mutex::new(kept), turn: Turn::new(()) }
    }

    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, kind: SessionEventKind<'_>) {
        let account = self.kept().home.as_ref().map(|home| home.key.account().to_owned());
        self.app.observer().tell(account.as_deref(), kind);
    }

    /// Tells once a day that the consent is about to end.
    pub(crate) fn announce(&self) {
        let now = self.app.clock().now().wall;
        let at = {
            let mut kept = self.kept();
            let Some(at) = kept.record.consent_expires_at() else { return };
            let far = at.duration_since(now).is_ok_and(|left| left > NOTICE);
            let told = kept.announced.and_then(|told| now.duration_since(told).ok());
            if far || told.is_some_and(|since| since < Duration::from_secs(86_400)) {
                return;
            }
            kept.announced = Some(now);
            at
        };
        self.tell(SessionEventKind::ConsentExpiring { at });
    }

    /// Holds the store's lock from reading to writing, so that of any number of processes one
    /// refreshes and the others find its tokens.
    async fn refresh(&self, refused: bool) -> Result<Held, Error> {
        let _turn = self.turn.lock().await;
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
            Ok(stored) => {
                self.kept().unreadable = false;
                stored?
            }
            Err(error) => {
                self.kept().unreadable = true;
                self.tell(SessionEventKind::StoreFailed { error: &error });
                return None;
            }
        };
        let now = self.app.clock().now();
        let held = {
            let mut kept = self.kept();
            if kept.settling || kept.version == Some(stored.version()) {
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
        let expected = self.kept().version;
        let mut saved = self.save(home, expected).await;
        if matches!(saved, Ok(SaveOutcome::Conflict)) {
            match home.store.load(&home.key).await {
                Ok(Some(stored)) if self.kept().settling => {
                    saved = self.save(home, Some(stored.version())).await;
                }
                Ok(Some(stored)) => {
                    self.kept().adopt(stored);
                    self.tell(SessionEventKind::Adopted);
                    return;
                }
                // A broken file was set aside, and the place is free.
                Ok(None) if self.kept().may_recreate() => saved = self.save(home, None).await,
                // It was taken away: the user signed out elsewhere.
                Ok(None) => return,
                Err(error) => saved = Err(error),
            }
        }
        if let Err(error) = saved {
            self.kept().unwritten = Some(Instant::now() + REST);
            self.tell(SessionEventKind::StoreFailed { error: &error });
        }
    }

    async fn save(&self, home: &Home, expected: Option<u64>) -> Result<SaveOutcome, Error> {
        let record = self.kept().record.clone();
        let saved = home.store.save(&home.key, &record, expected).await?;
        if let SaveOutcome::Saved(version) = saved {
            let mut kept = self.kept();
            kept.version = Some(version);
            kept.unreadable = false;
            kept.settling = false;
            kept.unwritten = None;
        }
        Ok(saved)
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
            let _turn = user.turn.lock().await;
            let lock = home.store.lock(&home.key).await;
            if lock.is_ok() && user.kept().unwritten.is_some() {
                user.write(&home).await;
            }
        });
    }

    /// Moves into a store, in the place of who was there.
    pub(crate) async fn settle(&self, home: Home) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
        let lock = home.store.lock(&home.key).await;
        let there = home.store.load(&home.key).await;
        let version = there.as_ref().ok().and_then(|stored| stored.as_ref().map(Stored::version));
        {
            let mut kept = self.kept();
            kept.home = Some(home.clone());
            kept.version = version;
            kept.settling = true;
            kept.unwritten = Some(Instant::now() + REST);
        }
        let saved = self.save(&home, version).await;
        drop(lock);
        let error = match saved {
            Ok(SaveOutcome::Saved(_)) => return Ok(()),
            Ok(SaveOutcome::Conflict) => {
                Error::configuration("somebody else has signed in under the same key")
            }
            Err(error) => error,
        };
        self.tell(SessionEventKind::StoreFailed { error: &error });
        Err(error)
    }

    pub(crate) async fn leave(&self) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
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
