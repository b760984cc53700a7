//! An instance: test data and state that the mock serves below one base URL.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    server::{content::Content, recipe::Recipe},
    settings::Settings,
    state::{State, WorldIds},
};

/// Content and state of an instance, protected by one lock.
pub(crate) struct Live {
    pub(crate) content: Arc<Content>,
    pub(crate) ids: WorldIds,
    pub(crate) state: State,
    #[cfg(feature = "control")]
    recipe: Recipe,
}

/// Test data and state that the mock serves below one base URL.
pub(crate) struct Instance {
    pub(crate) settings: Settings,
    /// Base URL of the accounts service and of the control interface.
    pub(crate) base_url: String,
    live: Mutex<Live>,
}

impl Instance {
    #[cfg(feature = "control")]
    pub(crate) fn new(recipe: Recipe, base_url: String) -> io::Result<Self> {
        let content = Arc::new(recipe.content()?);
        Self::with_content(recipe, content, base_url)
    }

    /// Creates an instance with existing content and a new state.
    pub(crate) fn with_content(
        recipe: Recipe,
        content: Arc<Content>,
        base_url: String,
    ) -> io::Result<Self> {
        let (state, ids) = recipe.state(&content)?;
        let settings = Settings {
            premium: recipe.premium,
            vague_player: recipe.vague_player,
            null_values: recipe.null_values,
            api_url: format!("{base_url}/v1"),
        };
        let live = Live {
            content,
            ids,
            state,
            #[cfg(feature = "control")]
            recipe,
        };
        Ok(Self { settings, base_url, live: Mutex::new(live) })
    }

    pub(crate) fn live(&self) -> MutexGuard<'_, Live> {
        // Ignore a poisoned lock, so that a panic in another thread fails only the test of that
        // thread.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "control")]
impl Live {
    pub(crate) fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Restores the initial state. Tokens, requests, faults and limits are reset too.
    pub(crate) fn reset(&mut self) -> io::Result<()> {
        (self.state, self.ids) = self.recipe.state(&self.content)?;
        Ok(())
    }

    /// Replaces the custom test data, and resets the state.
    pub(crate) fn replace_world(&mut self, world: crate::world::custom::World) -> io::Result<()> {
        let recipe = Recipe { world, ..self.recipe.clone() };
        let content = Arc::new(recipe.content()?);
        let (state, ids) = recipe.state(&content)?;
        *self = Self { content, ids, state, recipe };
        Ok(())
    }
}
