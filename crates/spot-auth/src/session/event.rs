//! Events of sessions, and the observer that receives them.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
    time::{Duration, SystemTime},
};

use spot_http::Error;
use tokio::runtime::Handle;

use crate::user_code::catch;

/// An event of a session.
#[derive(Clone, Copy, Debug)]
pub struct SessionEvent<'a> {
    kind: SessionEventKind<'a>,
    account: Option<&'a str>,
}

/// The kinds of events.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SessionEventKind<'a> {
    /// The session got a new access token.
    #[non_exhaustive]
    Refreshed {
        /// The time at which the new token expires.
        expires_at: SystemTime,
    },
    /// The session now uses tokens that it found in the store. Another session or process has
    /// refreshed the tokens, or the user has signed in again.
    Adopted,
    /// A refresh failed. The old access token stays in use until it expires.
    #[non_exhaustive]
    RefreshFailed {
        /// The failure.
        error: &'a Error,
    },
    /// The user's consent ends within two weeks. This event is sent at most once a day.
    #[non_exhaustive]
    ConsentExpiring {
        /// The time at which the user's consent expires.
        at: SystemTime,
    },
    /// The user's consent has expired or was revoked. The user has to sign in again.
    ConsentExpired,
    /// A call to the token store failed, timed out or panicked. The session continues without the
    /// store, and tries again until its token record is saved.
    #[non_exhaustive]
    StoreFailed {
        /// The failure.
        error: &'a Error,
    },
}

impl<'a> SessionEvent<'a> {
    /// The kind of the event.
    pub fn kind(&self) -> SessionEventKind<'a> {
        self.kind
    }

    /// The account under which the session is stored; `None` if it is not stored.
    pub fn account(&self) -> Option<&'a str> {
        self.account
    }
}

type Notify = dyn Fn(&SessionEvent<'_>) + Send + Sync;

/// Delivers events to the program's observer.
///
/// The observer runs on its own thread. For each event, a session waits until the observer returns,
/// but at most for [`MAX_WAIT`]. If the observer takes longer, the session continues. While the
/// observer is still busy, sessions queue further events, and do not wait for the observer.
#[derive(Clone, Default)]
pub(crate) struct Observer(Option<Arc<Delivery>>);

struct Delivery {
    notify: Arc<Notify>,
    /// Whether a session has stopped waiting for the observer, which has not returned yet.
    behind: Arc<AtomicBool>,
    thread: OnceLock<Option<SyncSender<Delivered>>>,
}

/// An event that is sent to the thread of the observer.
struct Delivered {
    kind: OwnedKind,
    account: Option<String>,
    /// The tokio runtime of the session, so that the observer can spawn tasks.
    runtime: Option<Handle>,
    done: SyncSender<()>,
}

/// An event kind that owns its data.
enum OwnedKind {
    Plain(SessionEventKind<'static>),
    RefreshFailed(Error),
    StoreFailed(Error),
}

/// How long a session waits for the observer.
const MAX_WAIT: Duration = Duration::from_millis(50);

/// Maximum number of events that are queued for a slow observer. Further events are dropped.
const QUEUE: usize = 256;

impl Observer {
    pub(crate) fn new(notify: impl Fn(&SessionEvent<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Delivery {
            notify: Arc::new(notify),
            behind: Arc::default(),
            thread: OnceLock::new(),
        })))
    }

    pub(crate) fn notify(&self, account: Option<&str>, kind: SessionEventKind<'_>) {
        let Some(delivery) = &self.0 else { return };
        let (done, returned) = mpsc::sync_channel(1);
        let delivered = Delivered {
            kind: OwnedKind::of(kind),
            account: account.map(str::to_owned),
            runtime: Handle::try_current().ok(),
            done,
        };
        let thread = delivery.thread.get_or_init(|| delivery.start());
        // If no thread can be started, the observer is not called, because the observer may block.
        let Some(thread) = thread else { return };
        let sent = thread.try_send(delivered);
        if sent.is_ok()
            && !delivery.behind.load(Ordering::Acquire)
            && returned.recv_timeout(MAX_WAIT).is_err()
        {
            delivery.behind.store(true, Ordering::Release);
        }
    }
}

impl Delivery {
    fn start(&self) -> Option<SyncSender<Delivered>> {
        let (sender, events) = mpsc::sync_channel(QUEUE);
        let (notify, behind) = (Arc::clone(&self.notify), Arc::clone(&self.behind));
        let thread = thread::Builder::new().name("spot-auth-observer".to_owned());
        thread.spawn(move || deliver(&*notify, &behind, &events)).ok()?;
        Some(sender)
    }
}

/// Calls the observer for each event, until the last clone of the [`Observer`] is dropped.
fn deliver(notify: &Notify, behind: &AtomicBool, events: &Receiver<Delivered>) {
    for event in events {
        let _inside = event.runtime.as_ref().map(Handle::enter);
        let kind = event.kind.borrow();
        // Panics of the observer are ignored.
        let _ = catch(|| notify(&SessionEvent { kind, account: event.account.as_deref() }));
        behind.store(false, Ordering::Release);
        // Sending fails if the session does not wait for the observer.
        let _ = event.done.try_send(());
    }
}

impl OwnedKind {
    fn of(kind: SessionEventKind<'_>) -> Self {
        use SessionEventKind as Kind;

        match kind {
            Kind::Refreshed { expires_at } => Self::Plain(Kind::Refreshed { expires_at }),
            Kind::Adopted => Self::Plain(Kind::Adopted),
            Kind::RefreshFailed { error } => Self::RefreshFailed(error.clone()),
            Kind::ConsentExpiring { at } => Self::Plain(Kind::ConsentExpiring { at }),
            Kind::ConsentExpired => Self::Plain(Kind::ConsentExpired),
            Kind::StoreFailed { error } => Self::StoreFailed(error.clone()),
        }
    }

    fn borrow(&self) -> SessionEventKind<'_> {
        match self {
            Self::Plain(kind) => *kind,
            Self::RefreshFailed(error) => SessionEventKind::RefreshFailed { error },
            Self::StoreFailed(error) => SessionEventKind::StoreFailed { error },
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observer(set)" } else { "Observer(none)" })
    }
}
