//! All instances of a mock: the default instance, and isolated instances.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use crate::server::instance::Instance;
#[cfg(feature = "control")]
use crate::server::recipe::Recipe;

/// Path prefix of the base URLs of isolated instances.
const WORLDS: &str = "/_mock/worlds/";
#[cfg(feature = "control")]
/// Maximum number of isolated instances. The limit reveals tests that never remove their instances.
const MOST_WORLDS: usize = 1_000;

/// All instances of a mock.
pub(crate) struct Site {
    pub(crate) default: Arc<Instance>,
    worlds: Mutex<HashMap<String, Arc<Instance>>>,
    /// Whether the control interface is enabled.
    pub(crate) control: bool,
    pub(crate) latency: Duration,
    /// Becomes true when the mock stops, so that delayed requests continue immediately.
    pub(crate) stopped: watch::Receiver<bool>,
}

/// The instance that handles a path.
pub(crate) enum Place<'a> {
    /// The instance, and the path below its base URL.
    Instance(Arc<Instance>, &'a str),
    /// No isolated instance has this key.
    NoWorld(&'a str),
}

impl Site {
    pub(crate) fn new(
        default: Instance,
        control: bool,
        latency: Duration,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        let default = Arc::new(default);
        Self { default, worlds: Mutex::default(), control, latency, stopped }
    }

    /// Finds the instance for the path of a request.
    pub(crate) fn place<'a>(&self, path: &'a str) -> Place<'a> {
        let below = path.strip_prefix(WORLDS).filter(|_| self.control);
        // A path that ends with the key, such as `/_mock/worlds/KEY`, belongs to the control
        // interface of the default instance.
        match below.and_then(|below| below.split_once('/')) {
            Some((key, _)) => match self.world(key) {
                Some(instance) => {
                    let rest = path.get(WORLDS.len() + key.len()..).unwrap_or("/");
                    Place::Instance(instance, rest)
                }
                None => Place::NoWorld(key),
            },
            None => Place::Instance(Arc::clone(&self.default), path),
        }
    }

    pub(crate) fn world(&self, key: &str) -> Option<Arc<Instance>> {
        self.worlds().get(key).cloned()
    }

    /// Waits for this time, or until the mock stops.
    pub(crate) async fn pause(&self, duration: Duration) {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    }

    fn worlds(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Instance>>> {
        self.worlds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "control")]
impl Site {
    /// The keys of the isolated instances, sorted.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys: Vec<_> = self.worlds().keys().cloned().collect();
        keys.sort_unstable();
        keys
    }

    /// Creates an isolated instance. If an instance already has this key, the new instance replaces
    /// that instance. Without a recipe, the new instance shares the content of the default
    /// instance, and its creation takes less than a millisecond.
    pub(crate) fn create_world(
        &self,
        key: &str,
        recipe: Option<Recipe>,
    ) -> std::io::Result<Arc<Instance>> {
        let is_key = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        if key.is_empty() || key.len() > 100 || !key.bytes().all(is_key) {
            let message = "the key must have 1 to 100 characters; allowed characters are letters, \
                           digits, '-', '_', '.' and '~'";
            return Err(invalid(message));
        }
        let base_url = format!("{}{WORLDS}{key}", self.default.base_url);
        let instance = match recipe {
            Some(recipe) => Instance::new(recipe, base_url)?,
            None => {
                let (recipe, content) = {
                    let live = self.default.live();
                    (live.recipe().clone(), Arc::clone(&live.content))
                };
                Instance::with_content(recipe, content, base_url)?
            }
        };
        let instance = Arc::new(instance);
        let mut worlds = self.worlds();
        if worlds.len() >= MOST_WORLDS && !worlds.contains_key(key) {
            let message =
                "the mock has 1,000 isolated instances, the maximum; remove unused instances";
            return Err(invalid(message));
        }
        worlds.insert(key.to_owned(), Arc::clone(&instance));
        Ok(instance)
    }

    /// Removes an isolated instance, and returns whether it existed.
    pub(crate) fn remove_world(&self, key: &str) -> bool {
        self.worlds().remove(key).is_some()
    }
}

#[cfg(feature = "control")]
fn invalid(message: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidInput, message)
}
